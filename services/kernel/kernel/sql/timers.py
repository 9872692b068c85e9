"""Timers are rows: what must happen at an instant, told in the transaction that wants it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from kernel.sql.prepared import Statement

_SCHEDULE = """
    insert into timers (kind, key, due_at, payload)
    select * from unnest(%(kinds)s::text[], %(keys)s::text[], %(instants)s::timestamptz[],
                         %(payloads)s::jsonb[]) as wanted (kind, key, due_at, payload)
    order by key
    on conflict (kind, key) do update
    set due_at = excluded.due_at, payload = excluded.payload, attempts = 0, last_error = null
"""
_CANCEL = "delete from timers where kind = %(kind)s and key = any(%(keys)s)"
_HOLD = "select key from timers where kind = %(kind)s and key = any(%(keys)s) order by key for update"


@dataclass(frozen=True)
class Timer:
    """(kind, key) is unique: setting it again moves it. `due_at` is an instant in UTC."""

    kind: str
    key: str
    due_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)


def schedule(session: Session, wanted: Sequence[Timer]) -> None:
    """Sets timers, in place of earlier settings of the same keys. Keys must differ."""
    _run(session, scheduling(wanted))


def scheduling(wanted: Sequence[Timer]) -> list[Statement]:
    """The same as statements, to be sent together with others."""
    if not wanted:
        return []
    rows = [(timer.kind, timer.key, timer.due_at, json.dumps(timer.payload)) for timer in wanted]
    kinds, keys, instants, payloads = (list(column) for column in zip(*rows, strict=True))
    return [(_SCHEDULE, {"kinds": kinds, "keys": keys, "instants": instants, "payloads": payloads})]


def cancel(session: Session, kind: str, keys: Collection[str]) -> None:
    """Forgets timers of one kind; unknown keys are no error."""
    _run(session, cancelling(kind, keys))


def cancelling(kind: str, keys: Collection[str]) -> list[Statement]:
    """The same as statements."""
    return [(_CANCEL, {"kind": kind, "keys": list(keys)})] if keys else []


def hold(session: Session, kind: str, keys: Collection[str]) -> None:
    """Locks the timers of these keys that exist, until the end of the transaction.

    Whoever will set timers and also lock other rows holds the timers first, as a firing timer does.
    """
    _run(session, [holding(kind, keys)])


def holding(kind: str, keys: Collection[str]) -> Statement:
    """The same as a statement, to be sent together with others."""
    return _HOLD, {"kind": kind, "keys": list(keys)}


def _run(session: Session, statements: Sequence[Statement]) -> None:
    for sql, params in statements:
        session.connection().exec_driver_sql(sql, dict(params))
