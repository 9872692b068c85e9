"""Timers are rows: what must happen at an instant, told in the transaction that wants it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kernel.sql import tables


@dataclass(frozen=True)
class Timer:
    """(kind, key) is unique: setting it again moves it. `due_at` is an instant in UTC."""

    kind: str
    key: str
    due_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)


def schedule(session: Session, wanted: Sequence[Timer]) -> None:
    """Sets timers, in place of earlier settings of the same keys. Keys must differ."""
    if not wanted:
        return
    rows = [{"kind": t.kind, "key": t.key, "due_at": t.due_at, "payload": t.payload} for t in wanted]
    statement = insert(tables.timers)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "due_at": statement.excluded.due_at,
                "payload": statement.excluded.payload,
                "attempts": 0,
                "last_error": None,
            },
        ),
        sorted(rows, key=lambda row: str(row["key"])),
    )


def cancel(session: Session, kind: str, keys: Collection[str]) -> None:
    """Forgets timers of one kind; unknown keys are no error."""
    if keys:
        session.execute(
            delete(tables.timers).where(tables.timers.c.kind == kind, tables.timers.c.key.in_(keys))
        )


def hold(session: Session, kind: str, keys: Collection[str]) -> None:
    """Locks the timers of these keys that exist, until the end of the transaction.

    Whoever will set timers and also lock other rows holds the timers first, as a firing timer does.
    """
    table = tables.timers
    wanted = (table.c.kind == kind) & table.c.key.in_(keys)
    session.execute(select(table.c.key).where(wanted).order_by(table.c.key).with_for_update())
