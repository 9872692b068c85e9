"""Messages of conversations as rows, their words sealed; and what becomes of those that go out by mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.sealing import Sealer
from ticketing.usecases.ports import Message

SEALED_IN = "messages"
_ADD = """
    insert into messages (id, ticket_id, direction, channel, author_id, created_at, sealed_for, sealed,
                          attachment_count, automatic, delivery)
    values (%(id)s, %(ticket_id)s, %(direction)s, %(channel)s, %(author_id)s, %(created_at)s, %(sealed_for)s,
            %(sealed)s, %(attachment_count)s, %(automatic)s, %(delivery)s)
"""
_OF_OTHERS = """
    select id, sealed_for, sealed from messages
    where ticket_id = %(ticket_id)s and sealed_for <> %(subject_id)s and sealed is not null for update
"""
_SEALED_ANEW = "update messages set sealed_for = %(subject_id)s, sealed = %(sealed)s where id = %(id)s"
_DELIVERED = "update messages set delivery = %(delivery)s where id = %(id)s and delivery = 'queued'"
_ERASE = """
    update messages
    set sealed = null, delivery = case delivery when 'queued' then 'withheld' else delivery end
    where ticket_id = any(%(tickets)s) and sealed is not null
"""


class MessageRepository:
    def __init__(self, session: Session, sealer: Sealer) -> None:
        self._connection = session.connection
        self._sealer = sealer

    def add(self, message: Message, subject_id: UUID) -> None:
        """Keeps a message, its words sealed under the key of `subject_id`. Raises SubjectErased."""
        document = {"content": message.content, "mail_id": message.mail_id}
        row: dict[str, Any] = {
            "id": message.id,
            "ticket_id": message.ticket_id,
            "direction": message.direction,
            "channel": message.channel,
            "author_id": message.author_id,
            "created_at": message.created_at,
            "sealed_for": subject_id,
            "sealed": self._sealer.seal(SEALED_IN, message.id, subject_id, document),
            "attachment_count": message.attachment_count,
            "automatic": message.automatic,
            "delivery": message.delivery,
        }
        self._connection().exec_driver_sql(_ADD, row)

    def seal_for(self, ticket_id: UUID, subject_id: UUID) -> None:
        """Seals the words of a ticket anew, now that it is known whose they are."""
        params = {"ticket_id": ticket_id, "subject_id": subject_id}
        rows = self._connection().exec_driver_sql(_OF_OTHERS, params).all()
        opened = self._sealer.open_page(SEALED_IN, [(row.id, row.sealed_for, row.sealed) for row in rows])
        items = [
            (row.id, subject_id, document)
            for row, document in zip(rows, opened, strict=True)
            if document is not None
        ]
        for (row_id, _, _), sealed in zip(items, self._sealer.seal_many(SEALED_IN, items), strict=True):
            self._connection().exec_driver_sql(
                _SEALED_ANEW, {"id": row_id, "subject_id": subject_id, "sealed": sealed}
            )

    def erase_of(self, ticket_ids: Sequence[UUID]) -> int:
        """The words of these conversations go, and what waits to go out stays; answers how many messages."""
        return self._connection().exec_driver_sql(_ERASE, {"tickets": list(ticket_ids)}).rowcount

    def delivered(self, message_id: UUID, delivery: str) -> None:
        """Notes what became of a message that was to go out: "sent", "failed", "no_address", "withheld"."""
        self._connection().exec_driver_sql(_DELIVERED, {"id": message_id, "delivery": delivery})
