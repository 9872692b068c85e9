"""The projection of tickets, as ticketing tells them (T-08)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from customer.domain.told import TicketRow

_APPLY = """
    insert into tickets as held (ticket_id, version, customer_id, number, kind, status, priority, channel,
                                 opened_at, answered_at, closed_at)
    values (%(ticket_id)s, %(version)s, %(customer_id)s, %(number)s, %(kind)s, %(status)s, %(priority)s,
            %(channel)s, %(opened_at)s, %(answered_at)s, %(closed_at)s)
    on conflict (ticket_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, kind = excluded.kind,
        status = excluded.status, priority = excluded.priority, answered_at = excluded.answered_at,
        closed_at = excluded.closed_at
    where held.version < excluded.version
"""


class TicketRepository:
    def __init__(self, session: Session) -> None:
        self._run = session.connection

    def apply(self, told: Sequence[TicketRow]) -> None:
        # Ids in order, so that handlers can't deadlock.
        rows = [vars(row) for row in sorted(told, key=lambda row: (row.ticket_id, row.version))]
        if rows:
            self._run().exec_driver_sql(_APPLY, rows)
