"""Sends what was said to a customer by mail: at least once, always under the same Message-ID."""

from __future__ import annotations

from typing import Any, Protocol, cast
from uuid import UUID

from kernel.jobs.job import Job, Running
from kernel.mail.letter import Letter
from kernel.mail.mailer import MailRefused, ServicePurpose
from ticketing import metrics
from ticketing.store.outgoing import Outgoing, get_outgoing
from ticketing.usecases.ports import SEND_ANSWER
from ticketing.wiring import TicketingApp

_PURPOSE = ServicePurpose("ticket_answer")
# With ten minutes between two tries: a mail server may be away for three days.
ATTEMPTS = 450


class Addresses(Protocol):
    def email_of(self, customer_id: UUID, purpose: str) -> str:
        """The e-mail address of a customer; empty when they have none or may not be written to."""


def job(addresses: Addresses) -> Job:
    def run(running: Running, message_id: str) -> None:
        app = cast(TicketingApp, running.app)
        outgoing = get_outgoing(app.reader, app.sealer, UUID(message_id))
        if outgoing is None:
            # Sent before a process died, or erased since.
            return
        delivery = "withheld" if outgoing.resting else _send(app, outgoing, addresses)
        with running.work() as work:
            cast(Any, work).messages.delivered(outgoing.message_id, delivery)
        metrics.mails_sent.labels(_PURPOSE.name, delivery).inc()

    return Job(SEND_ANSWER, run, attempts=ATTEMPTS)


def _send(app: TicketingApp, outgoing: Outgoing, addresses: Addresses) -> str:
    """What became of it: "sent", "failed" or "no_address". Raises what waiting may mend."""
    recipient = outgoing.requester_email
    if not recipient and outgoing.customer_id is not None:
        recipient = addresses.email_of(outgoing.customer_id, f"answer {outgoing.number}")
    if not recipient:
        return "no_address"
    tokens = app.mail_tokens
    subject = outgoing.subject if outgoing.subject.lower().startswith("re:") else f"Re: {outgoing.subject}"
    letter = Letter(
        message_id=tokens.message_id(outgoing.ticket_id, outgoing.message_id),
        sender=tokens.inbox,
        sender_name=app.settings.mail_sender_name,
        recipient=recipient,
        subject=f"{subject} [{outgoing.number}]",
        text=outgoing.content,
        reply_to=tokens.reply_to(outgoing.ticket_id),
        references=[outgoing.mail_id] if outgoing.mail_id else [],
    )
    try:
        app.mailer.send(letter, _PURPOSE)
    except MailRefused:
        return "failed"
    return "sent"
