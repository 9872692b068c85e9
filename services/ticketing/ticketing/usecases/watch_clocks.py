"""Response clocks remind, and run out (T-11 to T-13)."""

from __future__ import annotations

from uuid import UUID

from ticketing.domain.events import ResponseClockDue
from ticketing.usecases.keep_ticket import keep_ticket
from ticketing.usecases.ports import Work

PERMISSION = "ticketing.tickets.update"


def watch_clocks(work: Work, ticket_id: UUID) -> None:
    """Looks at a ticket's clocks at the instant that one of them asked for. Raises TicketNotFound."""
    ticket = work.tickets.lend(ticket_id, PERMISSION)
    for clock in ticket.clocks:
        wakes_at = clock.wakes_at()
        if clock.due_at is not None and wakes_at is not None and wakes_at <= work.now < clock.due_at:
            clock.reminded_at = work.now
            work.record(ResponseClockDue(ticket.id, clock.name, clock.due_at, ticket.version + 1))
    keep_ticket(work, ticket)
