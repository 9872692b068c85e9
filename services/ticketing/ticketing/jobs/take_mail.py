"""Reads a mail that came in: whose it is, which ticket it belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy.exc import OperationalError

from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.pure.errors import Unavailable
from kernel.sql.crypto.errors import SubjectErased
from ticketing import metrics
from ticketing.domain.mail_reading import FAILED, UnreadableMail, read_mail
from ticketing.store.raw_mails import get_raw, left_behind
from ticketing.usecases.open_ticket import Heard
from ticketing.usecases.ports import TAKE_MAIL
from ticketing.usecases.take_mail import Sender, sender_of, take_mail, take_unreadable_mail
from ticketing.wiring import TicketingApp

_log = logger(__name__)

# From this try on a mail becomes a ticket also while nobody can say whose it is: its clocks run.
_PATIENCE = 3
_LEFT_AFTER = timedelta(minutes=30)
_KEPT = timedelta(days=30)


class Customers(Protocol):
    def with_email(self, email: str) -> list[UUID]:
        """The customers who have an address. Raises PeerUnavailable."""


def job(customers: Customers) -> Job:
    def run(running: Running, mail_id: str) -> None:
        _take(running, customers, UUID(mail_id))

    return Job(TAKE_MAIL, run, attempts=20)


def sweep(customers: Customers) -> Job:
    """Takes mails whose job was lost or gave up; destroys the bytes of those that were read a month ago.

    One that fails again is seen as unreadable; it is in nobody's way.
    """

    def run(running: Running) -> None:
        app = cast(TicketingApp, running.app)
        for mail_id in left_behind(app.reader, app.clock.now() - _LEFT_AFTER):
            _take_at_last(running, customers, mail_id)
            running.checkpoint()
        destroyed = 1
        while destroyed:
            running.checkpoint()
            with running.work() as work:
                destroyed = cast(Any, work).mails.destroy_old(_KEPT)

    return Job("sweep_mails", run, every="*/10 * * * *")


def _take_at_last(running: Running, customers: Customers, mail_id: UUID) -> None:
    try:
        try:
            _take(running, customers, mail_id)
        except (Unavailable, OperationalError):
            raise
        except Exception:
            # Read it was, and still it can't become a ticket: that is one.
            _take_unreadable(running, mail_id, UnreadableMail(FAILED))
    except Exception as error:
        # The next round may have more luck; the mails behind it don't wait.
        _log.error("mail not taken", mail=str(mail_id), error=type(error).__name__)


def _take(running: Running, customers: Customers, mail_id: UUID) -> None:
    app = cast(TicketingApp, running.app)
    raw = get_raw(app.reader, app.mail_sealer, mail_id)
    if raw is None:
        return
    try:
        letter = read_mail(raw)
    except UnreadableMail as error:
        _take_unreadable(running, mail_id, error)
        return
    ticket_id = app.mail_tokens.ticket_of(letter.recipients, letter.references)
    sender = _sender(running, customers, letter.sender)
    try:
        with running.work() as work:
            heard = take_mail(cast(Any, work), mail_id, letter, ticket_id, sender)
    except SubjectErased:
        # Somebody whose data were erased writes again: that is a new concern of nobody known.
        with running.work() as work:
            heard = take_mail(cast(Any, work), mail_id, letter, None, Sender(None, "CUSTOMER_ERASED"))
    _count(heard)


def _take_unreadable(running: Running, mail_id: UUID, error: UnreadableMail) -> None:
    with running.work() as work:
        _count(take_unreadable_mail(cast(Any, work), mail_id, error))
    metrics.mails_unreadable.labels(error.reason).inc()


def _sender(running: Running, customers: Customers, email: str) -> Sender:
    try:
        return sender_of(customers.with_email(email))
    except Unavailable:
        if running.attempt < _PATIENCE:
            raise
        return Sender(None, "CUSTOMERS_UNAVAILABLE")


def _count(heard: Heard | None) -> None:
    if heard is None:
        return
    if heard.joined:
        metrics.consultations_linked.labels(heard.ticket.channel).inc()
    else:
        metrics.tickets_opened.labels(heard.ticket.channel, heard.ticket.kind).inc()
