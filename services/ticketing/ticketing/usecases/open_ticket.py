"""A customer says something: a new ticket, or a message of one that is open (T-04, T-07, T-08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kernel.pure.ids import new_id
from ticketing.domain.judging import Decision, judge
from ticketing.domain.linking import ticket_to_join
from ticketing.domain.ticket import CLOSED, Ticket, Words, language_of
from ticketing.usecases.keep_ticket import keep_ticket
from ticketing.usecases.ports import FROM_CUSTOMER, Message, Work


@dataclass(frozen=True)
class Said:
    """What a customer said, by which channel, and what is known of them.

    `ticket_id` is the ticket they answered, if they said so. What is given of kind, topic and
    priority was set by hand.
    """

    channel: str
    subject: str
    text: str
    at: datetime
    customer_id: UUID | None = None
    # Why the customer is that one, or nobody: "BY_HAND", "ONE_ADDRESS", …
    customer_reason: str = ""
    requester_name: str = ""
    requester_email: str = ""
    kind: str = ""
    topic: str = ""
    priority: str = ""
    ticket_id: UUID | None = None
    separate: bool = False
    mail_id: str = ""
    attachment_count: int = 0
    automatic: bool = False
    unreadable: str = ""
    author_id: str = ""


@dataclass(frozen=True)
class Heard:
    """Where it went: `joined` tells a message of a ticket that was there from a new ticket."""

    ticket: Ticket
    joined: bool


def hear_customer(work: Work, said: Said) -> Heard:
    """Adds what was said to the ticket it belongs to, or opens one.

    What answers a closed ticket opens one that follows it. Raises SubjectErased.
    """
    fresh = _ticket(work, said)
    answered = work.tickets.lend_to_join(said.ticket_id) if said.ticket_id else None
    if answered is not None and answered.status != CLOSED:
        return _join(work, said, fresh, answered, Decision("link", str(answered.id), "ANSWERS_OUR_MAIL"))
    if answered is not None:
        fresh.follows_id = answered.id
        if fresh.customer_id is None:
            fresh.customer_id = answered.customer_id
    # What kind of concern it is decides which ticket it belongs to.
    judge(fresh, work.rule_books.current(), work.customers.standing(fresh.customer_id))
    joined = None if said.separate or said.unreadable else _to_join(work, fresh)
    if joined is not None:
        return _join(work, said, fresh, *joined)
    who = Decision("customer", str(said.customer_id or ""), said.customer_reason)
    keep_ticket(work, fresh, [who] if said.customer_reason else [])
    _add_message(work, said, fresh)
    work.audit("create", "ticket", fresh.id, channel=fresh.channel, customer=str(fresh.customer_id or ""))
    return Heard(fresh, joined=False)


def _ticket(work: Work, said: Said) -> Ticket:
    """The ticket that it would open."""
    words = f"{said.subject}\n{said.text}"
    return Ticket(
        id=new_id(),
        number=work.tickets.next_number(),
        version=0,
        kind=said.kind or "consultation",
        topic=said.topic,
        priority=said.priority or "normal",
        channel=said.channel,
        language=language_of(words),
        said=work.rule_books.current().said(words),
        words=Words(said.subject, said.requester_name, said.requester_email),
        opened_at=said.at,
        heard_at=said.at,
        customer_id=said.customer_id,
        unreadable=said.unreadable,
        by_hand=frozenset(name for name in ("kind", "topic", "priority") if getattr(said, name)),
    )


def _to_join(work: Work, fresh: Ticket) -> tuple[Ticket, Decision] | None:
    """The ticket that this one would only repeat, and why."""
    book = work.rule_books.current()
    group = work.customers.group(fresh.customer_id) if fresh.customer_id else ()
    candidates = work.tickets.to_join(group, fresh.words.requester_email)
    ticket_id = ticket_to_join(fresh.kind, fresh.topic, fresh.opened_at, candidates, book.linking)
    if ticket_id is None:
        return None
    facts = {
        "kind": fresh.kind,
        "topic": fresh.topic,
        "same": "customer" if fresh.customer_id else "address",
        "window_hours": book.linking.window // timedelta(hours=1),
    }
    decision = Decision("link", str(ticket_id), "SAME_CONCERN", "linking", book.version, facts)
    ticket = work.tickets.lend_to_join(ticket_id)
    return (ticket, decision) if ticket.status != CLOSED else None


def _join(work: Work, said: Said, fresh: Ticket, ticket: Ticket, decision: Decision) -> Heard:
    if not said.automatic:
        # An absence note answers nothing: who waits for the customer goes on waiting.
        ticket.hear(said.at, fresh.said)
        keep_ticket(work, ticket, [decision])
    _add_message(work, said, ticket)
    work.audit("hear", "ticket", ticket.id, channel=said.channel)
    return Heard(ticket, joined=True)


def _add_message(work: Work, said: Said, ticket: Ticket) -> None:
    message = Message(
        id=new_id(),
        ticket_id=ticket.id,
        direction=FROM_CUSTOMER,
        content=said.text,
        channel=said.channel,
        author_id=said.author_id,
        created_at=said.at,
        mail_id=said.mail_id,
        attachment_count=said.attachment_count,
        automatic=said.automatic,
    )
    work.messages.add(message, ticket.subject_id)
