"""The list of addresses that are not written to, each as a keyed hash."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.blind import BlindIndex
from marketing.domain.campaign import Channel
from marketing.domain.errors import SuppressionNotFound
from marketing.domain.suppression import Reason, Suppression

COLUMNS = "id, channel, purpose, reason, created_at, actor_id"
# Whoever unsubscribes again does so now: a consent in between does not outweigh it.
_ADD = f"""
    insert into suppressions as held (id, channel, purpose, address, reason, created_at, actor_id)
    values (%(id)s, %(channel)s, %(purpose)s, %(address)s, %(reason)s, %(created_at)s, %(actor_id)s)
    on conflict (channel, purpose, address) do update
    set created_at = case when held.reason = 'unsubscribed' and excluded.reason = 'unsubscribed'
                          then greatest(held.created_at, excluded.created_at) else held.created_at end
    returning {COLUMNS}
"""
OF = f"""
    select {COLUMNS} from suppressions where channel = %(channel)s and address = %(address)s order by id
"""
_REMOVE = f"delete from suppressions where id = %(id)s returning {COLUMNS}"


class SuppressionRepository:
    def __init__(self, session: Session, blind: BlindIndex) -> None:
        self._run = session.connection
        self._blind = blind

    def hash_of(self, address: str) -> bytes:
        """The keyed hash of an address in normal form. Raises KeyringUnavailable."""
        return hash_of(self._blind, address)

    def add(self, wanted: Suppression, address: bytes) -> Suppression:
        """Puts it on the list unless the address stands there for the purpose; answers what stands there."""
        values = {"channel": wanted.channel.value, "reason": wanted.reason.value, "address": address}
        return suppression_of(self._run().exec_driver_sql(_ADD, vars(wanted) | values).one())

    def of(self, channel: Channel, address: bytes) -> list[Suppression]:
        found = self._run().exec_driver_sql(OF, {"channel": channel.value, "address": address})
        return [suppression_of(row) for row in found]

    def remove(self, suppression_id: UUID) -> Suppression:
        """Raises SuppressionNotFound."""
        row = self._run().exec_driver_sql(_REMOVE, {"id": suppression_id}).first()
        if row is None:
            raise SuppressionNotFound
        return suppression_of(row)


def hash_of(blind: BlindIndex, address: str) -> bytes:
    """The keyed hash of an address in normal form. Raises KeyringUnavailable."""
    return blind.token("address", address)


def suppression_of(row: Any) -> Suppression:
    """The entry in a row of COLUMNS."""
    return Suppression(
        row.id, Channel(row.channel), row.purpose, Reason(row.reason), row.created_at, row.actor_id
    )
