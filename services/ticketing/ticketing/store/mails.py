"""Mails as they came, each sealed under a key of its own, which is destroyed with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import Sealer
from ticketing.store.raw_mails import SEALED_IN

_ADD = """
    insert into mails (id, channel, message_key, received_at, size, sealed, state)
    values (%(id)s, %(channel)s, %(key)s, %(at)s, %(size)s, %(sealed)s, 'stored')
    on conflict (channel, message_key) do nothing returning id
"""
_HELD = "select 1 from mails where channel = %(channel)s and message_key = %(key)s"
_CLAIM = "select channel, received_at from mails where id = %(id)s and state = 'stored' for update"
_TAKEN = "update mails set state = 'taken', ticket_id = %(ticket)s, reason = %(reason)s where id = %(id)s"
_OLD = """
    select id from mails where sealed is not null and state = 'taken' and received_at < %(before)s
    order by received_at limit 500
"""
_OF_TICKETS = "select id from mails where ticket_id = any(%(tickets)s) and sealed is not null"
_EMPTY = "update mails set sealed = null where id = any(%(ids)s)"


class MailRepository:
    def __init__(
        self, session: Session, sealer: Sealer, keyring: Keyring, blind: BlindIndex, now: datetime
    ) -> None:
        self._connection = session.connection
        self._sealer = sealer
        self._keyring = keyring
        self._blind = blind
        self._now = now

    def add(self, mail_id: UUID, channel: str, message_id: str, raw: bytes) -> bool:
        """Keeps a mail; False when one of the same Message-ID, or without one of the same bytes, is held."""
        # Message-IDs name their writers' machines: only a keyed hash is kept in clear.
        key = self._blind.token("mail", message_id or sha256(raw).hexdigest())
        params: dict[str, object] = {"id": mail_id, "channel": channel, "key": key}
        if self._connection().exec_driver_sql(_HELD, params).first() is not None:
            return False
        params |= {"at": self._now, "size": len(raw)}
        params["sealed"] = self._sealer.seal_data(SEALED_IN, mail_id, mail_id, raw)
        return self._connection().exec_driver_sql(_ADD, params).first() is not None

    def claim(self, mail_id: UUID) -> tuple[str, datetime] | None:
        """By which channel and when a mail came that is still to be taken, locked; None for any other."""
        row = self._connection().exec_driver_sql(_CLAIM, {"id": mail_id}).first()
        return None if row is None else (row.channel, row.received_at)

    def taken(self, mail_id: UUID, ticket_id: UUID, reason: str = "") -> None:
        self._connection().exec_driver_sql(_TAKEN, {"id": mail_id, "ticket": ticket_id, "reason": reason})

    def destroy_old(self, kept: timedelta) -> int:
        """Destroys the bytes of up to 500 mails that came longer ago; answers how many."""
        return self._destroy(_OLD, {"before": self._now - kept})

    def destroy_of(self, ticket_ids: Sequence[UUID]) -> int:
        """Destroys the bytes of the mails of these tickets; answers how many."""
        return self._destroy(_OF_TICKETS, {"tickets": list(ticket_ids)})

    def _destroy(self, which: str, params: dict[str, object]) -> int:
        ids = [row.id for row in self._connection().exec_driver_sql(which, params).all()]
        if ids:
            self._connection().exec_driver_sql(_EMPTY, {"ids": ids})
            self._keyring.destroy(ids)
        return len(ids)
