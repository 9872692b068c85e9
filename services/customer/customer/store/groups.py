"""Groups as they are defined."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.errors import GroupNotFound
from customer.domain.groups import DELETED, Group, GroupDraft
from customer.store.group_rules import Today, selection
from kernel.pure.grants import Principal

# Definitions are few and change seldom: one after another, so that names and their number stay true.
_ONE_AT_A_TIME = "lock table groups in share row exclusive mode"
_COLUMNS = "id, version, name, description, expression, rule_version, state, after_id"
_LEND = f"select {_COLUMNS} from groups where id = %(id)s and state <> '{DELETED}' for no key update"
_NAMED = f"select id from groups where name = %(name)s and state <> '{DELETED}'"
_COUNT = f"select count(*)::int from groups where state <> '{DELETED}'"
_SAVE = f"""
    insert into groups ({_COLUMNS}, created_at, updated_at)
    values (%(id)s, %(version)s, %(name)s, %(description)s, %(expression)s, %(rule_version)s, %(state)s,
            %(after_id)s, %(now)s, %(now)s)
    on conflict (id) do update
    set version = excluded.version, name = excluded.name, description = excluded.description,
        expression = excluded.expression, rule_version = excluded.rule_version, state = excluded.state,
        after_id = excluded.after_id, updated_at = excluded.updated_at
"""
_KEEP_RULE = """
    insert into group_rules (group_id, version, expression, at, actor_id)
    values (%(id)s, %(rule_version)s, %(expression)s, %(now)s, %(actor)s)
    on conflict (group_id, version) do nothing
"""


class GroupRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime, today: Today) -> None:
        self._connection = session.connection
        self._principal = principal
        self._now = now
        self._today = today

    def alone(self) -> None:
        self._connection().exec_driver_sql(_ONE_AT_A_TIME)

    def check(self, expression: str) -> None:
        selection([expression], self._today)

    def lend(self, group_id: UUID) -> Group:
        row = self._connection().exec_driver_sql(_LEND, {"id": group_id}).first()
        if row is None:
            raise GroupNotFound(id=group_id)
        return group_of(row)

    def named(self, name: str) -> UUID | None:
        found: UUID | None = self._connection().exec_driver_sql(_NAMED, {"name": name}).scalar()
        return found

    def count(self) -> int:
        return int(self._connection().exec_driver_sql(_COUNT).scalar_one())

    def save(self, group: Group) -> None:
        params = {
            "id": group.id,
            "version": group.version,
            **vars(group.draft),
            "rule_version": group.rule_version,
            "state": group.state,
            "after_id": group.after_id,
            "now": self._now,
            "actor": self._principal.id,
        }
        self._connection().exec_driver_sql(_SAVE, params)
        self._connection().exec_driver_sql(_KEEP_RULE, params)


def group_of(row: Any) -> Group:
    """The group in a row with its columns."""
    draft = GroupDraft(name=row.name, description=row.description, expression=row.expression)
    return Group(row.id, row.version, draft, row.rule_version, row.state, row.after_id)
