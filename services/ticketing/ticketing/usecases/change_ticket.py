"""Tickets are assigned, identified, classified, resolved, closed and reopened by people."""

from __future__ import annotations

from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal
from ticketing.domain.errors import RequesterUnknown, UnknownAgent, UnknownCustomer
from ticketing.domain.judging import Decision
from ticketing.domain.ticket import Ticket
from ticketing.usecases.ask_satisfaction import ask_satisfaction
from ticketing.usecases.keep_ticket import give_to_least_loaded, keep_ticket
from ticketing.usecases.ports import GIVE_OUT, TO_CUSTOMER, Work
from ticketing.usecases.talk import LONGEST_CONTENT, checked_text, say

ASSIGN = "ticketing.tickets.assign"
UPDATE = "ticketing.tickets.update"
REVEAL = "ticketing.requesters.reveal"
_REASON = (4, 500)


def assign_ticket(
    work: Work, ticket_id: UUID, etag: str, team_id: UUID | None, assignee_id: UUID | None
) -> Ticket:
    """To a member of the team, or to the team, of whom the one with the most room gets it.

    Raises TicketNotFound, StaleEtag or UnknownAgent.
    """
    ticket = work.tickets.lend(ticket_id, ASSIGN, etag)
    left = ticket.team_id
    if assignee_id is not None:
        found, agents_team = work.agents.team_of(assignee_id)
        if not found or (team_id is not None and agents_team != team_id):
            raise UnknownAgent
        ticket.team_id = team_id or agents_team or ticket.team_id
        ticket.assignee_id = assignee_id
        decision: Decision | None = Decision("assignee", str(assignee_id), "BY_HAND")
    else:
        ticket.team_id, ticket.assignee_id = team_id or ticket.team_id, None
        decision = give_to_least_loaded(work, ticket)
    ticket.by_hand |= {"team"}
    keep_ticket(work, ticket, [decision] if decision else [])
    _give_out(work, left)
    work.audit(
        "assign", "ticket", ticket.id, team=str(ticket.team_id or ""), assignee=str(ticket.assignee_id or "")
    )
    return ticket


def identify_ticket(work: Work, ticket_id: UUID, etag: str, customer_id: UUID) -> Ticket:
    """Raises TicketNotFound, StaleEtag, UnknownCustomer, SubjectRestricted or SubjectErased."""
    ticket = work.tickets.lend(ticket_id, UPDATE, etag)
    survivor = work.customers.survivor(customer_id)
    if survivor is None:
        raise UnknownCustomer
    work.customers.refuse_restricted(survivor)
    ticket.customer_id = survivor
    work.messages.seal_for(ticket.id, ticket.subject_id)
    keep_ticket(work, ticket, [Decision("customer", str(survivor), "BY_HAND")])
    work.audit("identify", "ticket", ticket.id, customer=str(survivor))
    return ticket


def classify_ticket(
    work: Work, ticket_id: UUID, etag: str, kind: str = "", topic: str = "", priority: str = ""
) -> Ticket:
    """Sets what is given by hand; rules leave it alone from then on. Raises TicketNotFound or StaleEtag."""
    ticket = work.tickets.lend(ticket_id, UPDATE, etag)
    given = {
        name: value for name, value in (("kind", kind), ("topic", topic), ("priority", priority)) if value
    }
    for name, value in given.items():
        setattr(ticket, name, value)
    ticket.by_hand |= given.keys()
    keep_ticket(work, ticket, [Decision(name, value, "BY_HAND") for name, value in given.items()])
    work.audit("classify", "ticket", ticket.id, **given)
    return ticket


def resolve_ticket(work: Work, ticket_id: UUID, etag: str, solution: str) -> Ticket:
    """Tells the customer how it was solved.

    Raises TicketNotFound, StaleEtag, Invalid or TicketStatusForbids.
    """
    solution = checked_text("solution", solution, LONGEST_CONTENT)
    ticket = work.tickets.lend(ticket_id, UPDATE, etag)
    ticket.resolve(work.now, solution)
    say(work, ticket, TO_CUSTOMER, solution)
    keep_ticket(work, ticket)
    _give_out(work, ticket.team_id)
    work.audit("resolve", "ticket", ticket.id)
    return ticket


def close_ticket(work: Work, ticket_id: UUID, etag: str = "") -> Ticket:
    """Ends it, and asks how satisfied they are. Raises TicketNotFound, StaleEtag or TicketStatusForbids."""
    ticket = work.tickets.lend(ticket_id, UPDATE, etag)
    ticket.close(work.now)
    keep_ticket(work, ticket)
    ask_satisfaction(work, ticket)
    work.audit("close", "ticket", ticket.id)
    return ticket


def reopen_ticket(work: Work, ticket_id: UUID, etag: str) -> Ticket:
    """Raises TicketNotFound, StaleEtag or TicketStatusForbids."""
    ticket = work.tickets.lend(ticket_id, UPDATE, etag)
    ticket.reopen(work.now)
    keep_ticket(work, ticket)
    work.audit("reopen", "ticket", ticket.id)
    return ticket


def reveal_requester(work: Work, ticket_id: UUID, reason: str) -> tuple[str, str]:
    """Name and address of who asked. Raises TicketNotFound, Invalid or RequesterUnknown."""
    least, most = _REASON
    reason = reason.strip()
    checks = Checks()
    if not least <= len(reason) <= most:
        checks.refuse(
            "reason", "REASON", f"must have {least} to {most} characters", f"必须有 {least} 到 {most} 个字符"
        )
    check_impersonal("reason", reason, checks)
    checks.raise_if_any()
    ticket = work.tickets.lend(ticket_id, REVEAL)
    words = ticket.words
    if not words.requester_name and not words.requester_email:
        raise RequesterUnknown
    work.audit("reveal", "ticket", ticket.id, reason=reason)
    return words.requester_name, words.requester_email


def give_out(work: Work, team_id: UUID) -> int:
    """Gives out the team's tickets that nobody has in hand, the most urgent first, while somebody has room.

    Answers how many (T-09).
    """
    given = 0
    for ticket_id in work.tickets.waiting(team_id):
        ticket = work.tickets.lend(ticket_id, ASSIGN)
        if ticket.assignee_id is not None or not ticket.is_active:
            continue
        decision = give_to_least_loaded(work, ticket)
        if decision is None or not decision.outcome:
            break
        keep_ticket(work, ticket, [decision])
        given += 1
    return given


def _give_out(work: Work, team_id: UUID | None) -> None:
    """Somebody of the team may have room now."""
    if team_id is not None:
        work.defer(GIVE_OUT, team_id=team_id)
