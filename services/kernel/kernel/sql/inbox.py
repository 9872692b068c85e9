"""The inbox: an event takes effect once for each handler."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kernel.sql import tables


def claim(session: Session, handler: str, event_id: UUID) -> bool:
    """Marks an event as handled in the caller's transaction; False when it was before.

    Waits for another transaction that is handling the same event.
    """
    mark = insert(tables.inbox).values(handler=handler, event_id=event_id).on_conflict_do_nothing()
    return bool(session.execute(mark.returning(tables.inbox.c.event_id)).first())
