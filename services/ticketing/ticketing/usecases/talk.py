"""The conversation of a ticket, as colleagues lead it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.ids import new_id
from ticketing.domain.ticket import Ticket
from ticketing.usecases.keep_ticket import keep_ticket
from ticketing.usecases.ports import FROM_CUSTOMER, SEND_ANSWER, TO_CUSTOMER, Message, Work

PERMISSION = "ticketing.messages.create"
LONGEST_CONTENT = 20_000
_MAIL = ("", "email")


@dataclass(frozen=True)
class Contribution:
    """`channel` "" or "email" of what is said to the customer sends it by mail; any other notes that it was
    said there."""

    direction: str
    content: str
    channel: str = ""
    awaits_reply: bool = False
    states_plan: bool = False


def add_message(work: Work, ticket_id: UUID, contribution: Contribution) -> tuple[Message, Ticket]:
    """Raises TicketNotFound, Invalid, TicketStatusForbids or SubjectErased."""
    content = checked_text("message.content", contribution.content, LONGEST_CONTENT)
    ticket = work.tickets.lend(ticket_id, PERMISSION)
    if contribution.direction == TO_CUSTOMER:
        ticket.answer(work.now, contribution.awaits_reply, contribution.states_plan)
    elif contribution.direction == FROM_CUSTOMER:
        ticket.hear(work.now, work.rule_books.current().said(content))
    message = say(work, ticket, contribution.direction, content, contribution.channel)
    keep_ticket(work, ticket)
    work.audit("add_message", "ticket", ticket.id, direction=contribution.direction, message=str(message.id))
    return message, ticket


def say(work: Work, ticket: Ticket, direction: str, content: str, channel: str = "") -> Message:
    """Adds a message of the principal's, and lets what goes to the customer by mail go."""
    by_mail = direction == TO_CUSTOMER and channel in _MAIL
    reachable = bool(ticket.words.requester_email or ticket.customer_id)
    message = Message(
        id=new_id(),
        ticket_id=ticket.id,
        direction=direction,
        content=content,
        channel="email" if by_mail else channel,
        author_id=work.principal.id,
        created_at=work.now,
        delivery=("queued" if reachable else "no_address") if by_mail else "",
    )
    work.messages.add(message, ticket.subject_id)
    if message.delivery == "queued":
        work.defer(SEND_ANSWER, message_id=message.id)
    return message


def checked_text(field: str, text: str, longest: int) -> str:
    """Without white space around it. Raises Invalid: empty, too long, or with control characters."""
    clean = text.replace("\r\n", "\n").strip()
    checks = Checks()
    if not clean:
        checks.refuse(field, "REQUIRED", "must not be empty", "不能为空")
    if len(clean) > longest:
        checks.refuse(field, "TOO_LONG", f"must have at most {longest} characters", f"最多 {longest} 个字符")
    if any(ord(character) < 32 and character not in "\n\t" for character in clean):
        checks.refuse(field, "CONTROL_CHARACTER", "must not hold control characters", "不能包含控制字符")
    checks.raise_if_any()
    return clean
