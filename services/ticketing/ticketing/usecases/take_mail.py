"""Mails come in: kept as they came before anything is said to have been taken, then read (T-04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.pure.ids import new_id
from ticketing.domain.mail_reading import Letter, UnreadableMail
from ticketing.usecases.open_ticket import Heard, Said, hear_customer
from ticketing.usecases.ports import TAKE_MAIL, Work

CHANNEL = "email"
_NO_SUBJECT = {"zh": "（无主题）", "en": "(no subject)"}


def store_mail(work: Work, raw: bytes, message_id: str, channel: str = CHANNEL) -> bool:
    """Keeps a mail as it came, to be read in a moment; False when it is held already.

    One mail is one ticket: a second one with the same Message-ID is the first one sent again.
    """
    mail_id = new_id()
    if not work.mails.add(mail_id, channel, message_id, raw):
        return False
    work.defer(TAKE_MAIL, mail_id=mail_id)
    return True


@dataclass(frozen=True)
class Sender:
    """Whose mail it is: the customer and why, or nobody and why."""

    customer_id: UUID | None
    reason: str


def sender_of(customer_ids: Sequence[UUID]) -> Sender:
    """Of the customers who have the sender's address: families share one, then a person must say."""
    if len(customer_ids) == 1:
        return Sender(customer_ids[0], "ONE_ADDRESS")
    return Sender(None, "SEVERAL_HAVE_ADDRESS" if customer_ids else "ADDRESS_UNKNOWN")


def take_mail(
    work: Work, mail_id: UUID, letter: Letter, ticket_id: UUID | None, sender: Sender
) -> Heard | None:
    """Makes a ticket of a mail, or a message of the ticket it belongs to; None when that was done before.

    Raises SubjectErased for a customer whose data were erased.
    """
    claimed = work.mails.claim(mail_id)
    if claimed is None:
        return None
    channel, received_at = claimed
    language = "en" if letter.text.isascii() and letter.subject.isascii() else "zh"
    heard = hear_customer(
        work,
        Said(
            channel=channel,
            subject=letter.subject or _NO_SUBJECT[language],
            text=letter.text,
            at=received_at,
            customer_id=sender.customer_id,
            customer_reason=sender.reason,
            requester_name=letter.sender_name,
            requester_email=letter.sender,
            ticket_id=ticket_id,
            # What a machine says again and again is about nothing that a customer asked.
            separate=letter.automatic,
            mail_id=letter.message_id,
            attachment_count=letter.attachment_count,
            automatic=letter.automatic,
        ),
    )
    work.mails.taken(mail_id, heard.ticket.id)
    return heard


def take_unreadable_mail(work: Work, mail_id: UUID, error: UnreadableMail) -> Heard | None:
    """Makes a ticket that shows that a mail could not be read, and why; None when that was done before."""
    claimed = work.mails.claim(mail_id)
    if claimed is None:
        return None
    channel, received_at = claimed
    said = Said(channel, "无法解析的邮件", "", received_at, unreadable=error.reason)
    heard = hear_customer(work, said)
    work.mails.taken(mail_id, heard.ticket.id, error.reason)
    return heard
