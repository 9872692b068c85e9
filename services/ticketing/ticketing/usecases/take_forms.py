"""Forms that customers fill in: kept as a mail from their address would be, and read as one (T-07, T-08)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.ids import new_id
from ticketing.domain.errors import TicketFormNotFound
from ticketing.usecases.create_ticket import LONGEST_NAME, LONGEST_SUBJECT, checked_email, checked_line
from ticketing.usecases.ports import Form, Work
from ticketing.usecases.take_mail import store_mail
from ticketing.usecases.talk import LONGEST_CONTENT, checked_text

CHANNEL = "form"
_LONGEST_TITLE = 100


@dataclass(frozen=True)
class Filled:
    """A form as it was filled in."""

    requester_name: str
    requester_email: str
    subject: str
    content: str


def create_form(work: Work, title: str) -> Form:
    """A new form with a key of its own. Raises Invalid."""
    checks = Checks()
    title = checked_line(checks, "title", title, _LONGEST_TITLE)
    _require(checks, "title", title)
    checks.raise_if_any()
    form = Form(new_id(), title, secrets.token_urlsafe(18))
    work.forms.add(form)
    work.audit("create", "ticket_form", form.id)
    return form


def submit_form(work: Work, form_id: UUID, key: str, filled: Filled, submission_id: UUID | None) -> UUID:
    """Keeps a filled-in form sealed, to be read in a moment; answers its id. The same one counts once.

    Raises TicketFormNotFound, also for a wrong key, and Invalid.
    """
    form = work.forms.get(form_id)
    if form is None or not hmac.compare_digest(form.key.encode(), key.encode()):
        raise TicketFormNotFound
    submission_id = submission_id or new_id()
    message_id = f"<{submission_id.hex}@form>"
    if store_mail(work, _letter(filled, message_id), message_id, CHANNEL):
        work.audit("submit", "ticket_form", form.id, submission=str(submission_id))
    return submission_id


def _letter(filled: Filled, message_id: str) -> bytes:
    """What the form says, as its writer would have said it by mail. Raises Invalid."""
    checks = Checks()
    name = checked_line(checks, "requester_name", filled.requester_name, LONGEST_NAME)
    subject = checked_line(checks, "subject", filled.subject, LONGEST_SUBJECT)
    email = checked_email(checks, "requester_email", filled.requester_email)
    _require(checks, "subject", subject)
    _require(checks, "requester_email", filled.requester_email.strip())
    checks.raise_if_any()
    mail = EmailMessage(policy.SMTP)
    try:
        mail["From"] = Address(name, addr_spec=email)
        mail["Subject"], mail["Message-ID"] = subject, message_id
    except (MessageError, ValueError):
        checks.refuse("requester_email", "EMAIL", "must be an e-mail address", "必须是电子邮件地址")
        checks.raise_if_any()
    content = filled.content.strip()
    mail.set_content(checked_text("content", content, LONGEST_CONTENT) if content else "")
    return mail.as_bytes()


def _require(checks: Checks, field: str, text: str) -> None:
    if not text:
        checks.refuse(field, "REQUIRED", "must not be empty", "不能为空")
