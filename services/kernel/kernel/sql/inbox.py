"""The inbox: an event takes effect once for each handler."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from kernel.sql.uow import OpenReader

# Sorted, so that two that handle the same events wait for each other in one order.
_CLAIM = """
    insert into inbox (handler, event_id)
    select %(handler)s, event_id from unnest(%(ids)s::uuid[]) as wanted (event_id) order by event_id
    on conflict do nothing
    returning event_id
"""


def claim(reader: OpenReader, handler: str, event_ids: Collection[UUID]) -> set[UUID]:
    """Marks events as handled in the caller's transaction; answers those that were not before.

    Waits for another transaction that is handling one of them.
    """
    return {row.event_id for row in reader.rows(_CLAIM, {"handler": handler, "ids": list(event_ids)})}
