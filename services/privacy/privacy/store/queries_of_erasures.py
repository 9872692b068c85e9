"""The read side of erasures and holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.sql.engine import Reader

_ERASURES = """
    select id, customer_id, subject_ids, state, attempt, check_from, tries, tasks, evidence, refusal_code,
           refusal_reason, received_at, due_at, closed_at, certificate
    from erasures
"""
_PAGE = """
    where (not %(open)s or state not in ('closed', 'refused'))
    and (%(after)s::uuid is null or id < %(after)s::uuid)
    order by id desc limit %(limit)s
"""
_HOLDS = """
    select id, subject_id, reason, until, placed_at, lifted_at from holds
    where lifted_at is null and (%(subject)s::uuid is null or subject_id = %(subject)s::uuid) order by id desc
"""
_OPEN = """
    select count(*)::int as open, count(*) filter (where due_at < %(now)s)::int as overdue from erasures
    where state not in ('closed', 'refused')
"""


def get_erasure(reader: Reader, erasure_id: UUID) -> Any | None:
    """The row of one request; None when there is none."""
    return reader.row(_ERASURES + " where id = %(id)s", {"id": erasure_id})


def list_erasures(reader: Reader, only_open: bool, after: UUID | None, limit: int) -> list[Any]:
    """Rows of requests, newest first, from the one that comes after the id `after`."""
    return reader.rows(_ERASURES + _PAGE, {"open": only_open, "after": after, "limit": limit})


def list_holds(reader: Reader, subject_id: UUID | None) -> list[Any]:
    """Rows of the holds in force, newest first; of one person when named."""
    return reader.rows(_HOLDS, {"subject": subject_id})


def count_open(reader: Reader, now: datetime) -> Any:
    """A row: how many requests are open, and how many of them past their deadline."""
    [row] = reader.rows(_OPEN, {"now": now})
    return row
