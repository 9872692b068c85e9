"""Holds as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from privacy.domain.errors import HoldNotFound
from privacy.domain.holds import Hold

_ADD = text(
    "insert into holds (id, subject_id, reason, until, placed_at)"
    " values (:id, :subject_id, :reason, :until, :placed_at)"
)
_LIFT = text("update holds set lifted_at = :now where id = :id and lifted_at is null returning *")
_ANY = text("select 1 from holds where lifted_at is null and subject_id = any(cast(:ids as uuid[])) limit 1")


class HoldRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, hold: Hold) -> None:
        row = vars(hold)
        self._session.execute(_ADD, {name: row[name] for name in row if name != "lifted_at"})

    def lift(self, hold_id: UUID, now: datetime) -> Hold:
        """Raises HoldNotFound when it is not in force."""
        row = self._session.execute(_LIFT, {"id": hold_id, "now": now}).mappings().first()
        if row is None:
            raise HoldNotFound
        return Hold(**row)

    def any_on(self, subject_ids: Sequence[UUID]) -> bool:
        """Whether one is in force on one of these persons."""
        return self._session.execute(_ANY, {"ids": list(subject_ids)}).first() is not None
