"""Asks a customer by mail how satisfied they are: at least once, always under the same Message-ID."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from kernel.jobs.job import Job, Running
from kernel.mail.letter import Letter
from kernel.mail.mailer import MailRefused, ServicePurpose
from ticketing import metrics
from ticketing.jobs.send_answer import ATTEMPTS, Addresses
from ticketing.store.outgoing import Question, get_question
from ticketing.usecases.ports import SEND_SURVEY
from ticketing.wiring import TicketingApp

_PURPOSE = ServicePurpose("satisfaction_survey")
_SUBJECT = {"zh": "请评价我们的服务", "en": "How satisfied are you"}
_TEXT = {
    "zh": "您的问题 {number} 已处理完毕。请用一分钟评价我们的服务：\n\n{link}\n\n链接有效期至 {until}。",
    "en": "Your concern {number} is settled. Please tell us how satisfied you are:\n\n{link}\n\n"
    "The link works until {until}.",
}
# Programs that answer by themselves leave such a mail alone (RFC 3834).
_BY_MACHINE = {"Auto-Submitted": "auto-generated"}


def job(addresses: Addresses) -> Job:
    def run(running: Running, survey_id: str) -> None:
        app = cast(TicketingApp, running.app)
        question = get_question(app.reader, app.sealer, UUID(survey_id))
        if question is None:
            # Sent before a process died, or erased since.
            return
        delivery = "withheld" if question.resting else _send(app, question, addresses)
        with running.work() as work:
            cast(Any, work).surveys.delivered(question.survey_id, delivery)
        metrics.mails_sent.labels(_PURPOSE.name, delivery).inc()

    return Job(SEND_SURVEY, run, attempts=ATTEMPTS)


def _send(app: TicketingApp, question: Question, addresses: Addresses) -> str:
    """What became of it: "sent", "failed" or "no_address". Raises what waiting may mend."""
    recipient = question.requester_email
    if not recipient and question.customer_id is not None:
        recipient = addresses.email_of(question.customer_id, f"survey {question.number}")
    if not recipient:
        return "no_address"
    tokens = app.mail_tokens
    letter = Letter(
        message_id=tokens.message_id(question.ticket_id, question.survey_id),
        sender=tokens.inbox,
        sender_name=app.settings.mail_sender_name,
        recipient=recipient,
        subject=f"{_SUBJECT[question.language]} [{question.number}]",
        text=_TEXT[question.language].format(
            number=question.number,
            link=app.settings.survey_url + tokens.survey_link(question.survey_id),
            until=question.ends_at.astimezone(app.clock.zone).date().isoformat(),
        ),
        reply_to=tokens.reply_to(question.ticket_id),
        headers=_BY_MACHINE,
    )
    try:
        app.mailer.send(letter, _PURPOSE)
    except MailRefused:
        return "failed"
    return "sent"
