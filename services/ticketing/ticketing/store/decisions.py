"""Decisions as rows; rule books and their versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.ids import new_id
from ticketing.domain.judging import Decision
from ticketing.domain.rulebook import RuleBook
from ticketing.store.rows import rule_book_of

_ADD = """
    insert into decisions (id, ticket_id, at, what, outcome, reason, rule, rule_version, facts)
    values (%(id)s, %(ticket_id)s, %(at)s, %(what)s, %(outcome)s, %(reason)s, %(rule)s, %(rule_version)s,
            %(facts)s)
"""
_CURRENT = "select version, document::text as document from rule_books order by version desc limit 1"
_ALONE = "select pg_advisory_xact_lock(hashtextextended('rule_books', 0))"
_PUBLISH = """
    insert into rule_books (version, document, published_at, actor_id)
    values (%(version)s, %(document)s, %(at)s, %(actor_id)s)
"""


class DecisionRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._connection = session.connection
        self._now = now

    def add(self, ticket_id: UUID, decisions: Sequence[Decision]) -> None:
        """Keeps why; in order, so that the last of several of one instant is the newest."""
        for decision in decisions:
            row = {**vars(decision), "facts": json.dumps(decision.facts or {}, ensure_ascii=False)}
            self._connection().exec_driver_sql(
                _ADD, {**row, "id": new_id(), "ticket_id": ticket_id, "at": self._now}
            )


class RuleBookRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._connection = session.connection
        self._now = now

    def current(self) -> RuleBook:
        """The newest rule book."""
        row = self._connection().exec_driver_sql(_CURRENT).one()
        return rule_book_of(row.version, row.document)

    def current_alone(self) -> RuleBook:
        """The newest one, alone with it until the end of the transaction."""
        self._connection().exec_driver_sql(_ALONE)
        return self.current()

    def publish(self, version: int, document: Mapping[str, Any], actor_id: str) -> None:
        params = {"version": version, "document": json.dumps(document, ensure_ascii=False)}
        self._connection().exec_driver_sql(_PUBLISH, {**params, "at": self._now, "actor_id": actor_id})
