"""Messages as rows: one a recipient and campaign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.ids import new_id
from marketing.domain.campaign import Channel
from marketing.domain.messages import Message, State

_COLUMNS = (
    "m.id, m.version, m.campaign_id, m.customer_id, m.state, m.reason, m.consent_id, m.attempted_at,"
    " m.sent_at, m.opened_at, m.clicked_at, m.unsubscribed_at, m.address"
)
_ADDRESS = """
    insert into messages (id, version, campaign_id, customer_id, state, reason, consent_id)
    select new.id, 1, %(campaign)s, new.customer_id, 'waiting', '', ''
    from unnest(%(ids)s::uuid[], %(customers)s::uuid[]) new (id, customer_id)
    on conflict (campaign_id, customer_id) do nothing
"""
_WAITING = f"""
    select {_COLUMNS} from messages m
    where m.campaign_id = %(campaign)s and m.state = 'waiting' order by m.id limit %(limit)s
"""
_LEND = f"select {_COLUMNS} from messages m where m.id = any(%(ids)s) order by m.id for update"
_SAVE = """
    update messages
    set version = %(version)s, state = %(state)s, reason = %(reason)s, consent_id = %(consent_id)s,
        attempted_at = %(attempted_at)s, sent_at = %(sent_at)s, opened_at = %(opened_at)s,
        clicked_at = %(clicked_at)s, unsubscribed_at = %(unsubscribed_at)s, address = %(address)s
    where id = %(id)s
"""
_SKIP_WAITING = """
    update messages set version = version + 1, state = 'skipped', reason = %(reason)s
    where campaign_id = %(campaign)s and state = 'waiting'
"""
# Two senders who count for one human at the same time would both find room for one more.
_ALONE = "select pg_advisory_xact_lock(hashtextextended(%(channel)s || %(customer)s::text, 0))"
_ATTEMPTS = """
    select m.attempted_at from messages m join campaigns c on c.id = m.campaign_id
    where m.customer_id = any(%(customers)s) and m.attempted_at > %(since)s and c.channel = %(channel)s
"""
_WRITTEN_TO = """
    select from messages where campaign_id = %(campaign)s and customer_id = any(%(customers)s)
        and state in ('attempted', 'sent', 'unknown')
    limit 1
"""
_WAITING_FOR = f"""
    select {_COLUMNS} from messages m join campaigns c on c.id = m.campaign_id
    where m.customer_id = %(customer)s and m.state = 'waiting'
        and %(purpose)s in ('', c.purpose) and %(channel)s in ('*', c.channel)
    order by m.id for update of m
"""
_ABANDONED = f"""
    select {_COLUMNS} from messages m
    where m.state = 'attempted' and m.attempted_at < %(before)s
    order by m.id limit %(limit)s for update skip locked
"""
_FORGET_ADDRESSES = """
    with gone as (
        select id, campaign_id, address from messages
        where customer_id = any(%(customers)s) and address is not null order by id for update
    ), forgotten as (
        update messages m set address = null from gone where m.id = gone.id
    )
    select c.channel, gone.address from gone join campaigns c on c.id = gone.campaign_id
"""
_OPEN = "select from messages where campaign_id = %(campaign)s and state in ('waiting', 'attempted') limit 1"


class MessageRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def address(self, campaign_id: UUID, customer_ids: Collection[UUID]) -> int:
        """A waiting message to each customer that has none yet in this campaign; how many were added."""
        customers = sorted(set(customer_ids))
        new = {"campaign": campaign_id, "ids": [new_id() for _ in customers], "customers": customers}
        return self._session.connection().exec_driver_sql(_ADDRESS, new).rowcount if customers else 0

    def waiting(self, campaign_id: UUID, limit: int) -> list[Message]:
        return self._messages(_WAITING, campaign=campaign_id, limit=limit)

    def lend(self, message_ids: Collection[UUID]) -> list[Message]:
        """Those of the messages that exist, locked until the transaction ends."""
        return self._messages(_LEND, ids=list(message_ids))

    def save(self, messages: Sequence[Message]) -> None:
        if messages:
            rows = [{**vars(message), "state": message.state.value} for message in messages]
            self._session.connection().exec_driver_sql(_SAVE, rows)

    def skip_waiting(self, campaign_id: UUID, reason: str) -> None:
        """All that wait in a campaign, at once; nobody is told of each."""
        wanted = {"campaign": campaign_id, "reason": reason}
        self._session.connection().exec_driver_sql(_SKIP_WAITING, wanted)

    def attempts(self, customer_ids: Sequence[UUID], channel: Channel, since: datetime) -> list[datetime]:
        """When the human with these ids was written to on the channel. Nobody else asks for the same one
        and channel until the transaction ends."""
        wanted = {"customers": list(customer_ids), "channel": channel.value, "since": since}
        connection = self._session.connection()
        # In order, so that two who hold some of the ids can't wait for each other.
        for customer_id in sorted(customer_ids):
            connection.exec_driver_sql(_ALONE, wanted | {"customer": customer_id})
        return list(connection.exec_driver_sql(_ATTEMPTS, wanted).scalars())

    def has_written_to(self, campaign_id: UUID, customer_ids: Sequence[UUID]) -> bool:
        """Whether the campaign has written, or may have, to the human with these ids."""
        wanted = {"campaign": campaign_id, "customers": list(customer_ids)}
        return self._session.connection().exec_driver_sql(_WRITTEN_TO, wanted).first() is not None

    def waiting_for(self, customer_id: UUID, purpose: str, channel: str) -> list[Message]:
        """Messages that wait to be sent to a customer, locked; "" stands for every purpose, "*" for
        every channel."""
        return self._messages(_WAITING_FOR, customer=customer_id, purpose=purpose, channel=channel)

    def abandoned(self, before: datetime, limit: int) -> list[Message]:
        """Attempted before an instant and never ended, locked."""
        return self._messages(_ABANDONED, before=before, limit=limit)

    def forget_addresses(self, customer_ids: Sequence[UUID]) -> list[tuple[Channel, bytes]]:
        """Forgets where messages to these went; answers channel and keyed hash of each."""
        wanted = {"customers": list(customer_ids)}
        found = self._session.connection().exec_driver_sql(_FORGET_ADDRESSES, wanted)
        return [(Channel(row.channel), bytes(row.address)) for row in found]

    def has_open(self, campaign_id: UUID) -> bool:
        """Whether a message of the campaign waits or is being attempted."""
        found = self._session.connection().exec_driver_sql(_OPEN, {"campaign": campaign_id})
        return found.first() is not None

    def _messages(self, statement: str, **parameters: Any) -> list[Message]:
        rows = self._session.connection().exec_driver_sql(statement, parameters)
        return [Message(**{**row._mapping, "state": State(row.state)}) for row in rows]
