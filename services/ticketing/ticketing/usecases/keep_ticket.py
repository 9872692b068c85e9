"""What follows from every change of a ticket: rules judge it, clocks are wound, it is kept and told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from ticketing.domain.events import ChangedTicket, ResponseClockBreached, TicketsChanged
from ticketing.domain.judging import Decision, judge, least_loaded, route, wind_clocks
from ticketing.domain.ticket import RESOLVED, Ticket
from ticketing.usecases.ports import CLOSE_TIMER, Work


def keep_ticket(work: Work, ticket: Ticket, decisions: Sequence[Decision] = ()) -> None:
    """Keeps a ticket that was opened or changed, with the reasons of what was decided.

    Raises StaleEtag, or SubjectErased for a customer whose data were erased.
    """
    book = work.rule_books.current()
    standing = work.customers.standing(ticket.customer_id)
    found = [*decisions]
    if ticket.is_active:
        found += judge(ticket, book, standing)
        if "team" not in ticket.by_hand:
            found += _send_to_team(work, ticket, route(ticket, book, standing))
    ran_out = wind_clocks(ticket, book, standing, work.clock.zone, work.now)
    work.tickets.save(ticket)
    _set_close_timer(work, ticket, book.close_after_days)
    work.decisions.add(ticket.id, found)
    for clock in ran_out:
        if clock.due_at is not None:
            work.record(ResponseClockBreached(ticket.id, clock.name, clock.due_at, ticket.version))
    work.record(TicketsChanged((changed(ticket),)))


def _set_close_timer(work: Work, ticket: Ticket, days: int) -> None:
    """A resolved ticket is closed some days later, and no other."""
    if ticket.status == RESOLVED and ticket.solved_at is not None and days:
        work.schedule(CLOSE_TIMER, str(ticket.id), ticket.solved_at + timedelta(days=days))
    else:
        work.cancel(CLOSE_TIMER, str(ticket.id))


def changed(ticket: Ticket) -> ChangedTicket:
    """The ticket as it is told."""
    return ChangedTicket(
        ticket_id=ticket.id,
        version=ticket.version,
        number=ticket.number,
        customer_id=ticket.customer_id,
        kind=ticket.kind,
        status=ticket.status,
        priority=ticket.priority,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        opened_at=ticket.opened_at,
        closed_at=ticket.closed_at,
        channel=ticket.channel,
        answered_at=ticket.answered_at,
    )


def give_to_least_loaded(work: Work, ticket: Ticket) -> Decision | None:
    """Gives a ticket of a team to the agent with the most room; None when it is of no team."""
    if ticket.team_id is None:
        return None
    book = work.rule_books.current()
    agents = work.agents.of_team(ticket.team_id, book.capacity)
    agent = least_loaded(agents)
    ticket.assignee_id = agent.user_id if agent else None
    facts = {"agents": len(agents), "room": sum(max(0, one.capacity - one.load) for one in agents)}
    if agent is None:
        return Decision("assignee", "", "ALL_AT_CAPACITY", rule_version=book.version, facts=facts)
    facts |= {"load": agent.load, "capacity": agent.capacity}
    return Decision("assignee", str(agent.user_id), "LEAST_LOADED", rule_version=book.version, facts=facts)


def _send_to_team(work: Work, ticket: Ticket, decision: Decision) -> list[Decision]:
    """Nothing when the ticket is of that team already: whoever has it in hand keeps it."""
    team_id = UUID(decision.outcome) if decision.outcome else None
    if team_id == ticket.team_id and ticket.version > 0:
        return []
    ticket.team_id, ticket.assignee_id = team_id, None
    given = give_to_least_loaded(work, ticket)
    return [decision, given] if given else [decision]
