"""The projection of tickets, as ticketing tells them (T-08)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from customer.domain.told import TicketRow
from kernel.sql.projection import take_over

_APPLY = """
    insert into tickets as held (ticket_id, version, customer_id, number, kind, status, priority, channel,
                                 opened_at, answered_at, closed_at)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        ticket_id uuid, version int, customer_id uuid, number text, kind text, status text, priority text,
        channel text, opened_at timestamptz, answered_at timestamptz, closed_at timestamptz)
    on conflict (ticket_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, kind = excluded.kind,
        status = excluded.status, priority = excluded.priority, answered_at = excluded.answered_at,
        closed_at = excluded.closed_at
    where held.version < excluded.version
"""


class TicketRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def apply(self, told: Sequence[TicketRow]) -> None:
        take_over(self._session, _APPLY, told, "ticket_id")
