"""Mail comes in by SMTP and becomes tickets; answers go out and come back to the same ticket."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from crm_cli.local.mailbox import Mailbox
from kernel.jobs.job import Running
from kernel.mail.mailer import Mailer, MailUnavailable
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Unavailable
from tests.ticketing.world import Desk, jobs, person
from ticketing.jobs import send_answer, take_mail
from ticketing.mail.server import Inbox
from ticketing.usecases import take_mail as usecases
from ticketing.usecases.ports import SEND_ANSWER, TAKE_MAIL
from ticketing.wiring import TicketingApp

INBOX = "support@crm.example"
WORDS = "紫色沙发坏了，请问怎么办？"


class Away(Unavailable):
    reason = "AWAY_IN_A_TEST"
    en = "away"
    zh = "不在"


class Customers:
    """Who has which address, as the customer service would say."""

    def __init__(self, owners: dict[str, list[UUID]] | None = None, away: bool = False) -> None:
        self._owners, self._away = owners or {}, away

    def with_email(self, email: str) -> list[UUID]:
        if self._away:
            raise Away
        return self._owners.get(email, [])

    def email_of(self, customer_id: UUID, purpose: str) -> str:
        return next((email for email, ids in self._owners.items() if customer_id in ids), "")


@pytest.fixture
def door(app: TicketingApp) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server of the service."""
    controller = Controller(Inbox(app), hostname="127.0.0.1", port=_free_port(), data_size_limit=100_000)
    controller.start()
    with smtplib.SMTP("127.0.0.1", controller.port, timeout=20) as connection:
        yield connection
    controller.stop()


@pytest.fixture
def mailbox(app: TicketingApp, tmp_path: Path) -> Iterator[Path]:
    """Where mails of the service arrive, a file each."""
    controller = Controller(Mailbox(tmp_path), hostname="127.0.0.1", port=_free_port())
    controller.start()
    held, app.mailer = (
        app.mailer,
        Mailer(SecretStr(f"smtp://127.0.0.1:{controller.port}"), app.settings.mail_purposes, app.clock),
    )
    yield tmp_path
    app.mailer.close()
    app.mailer = held
    controller.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def mail(
    text: str = WORDS, subject: str = "沙发", message_id: str = "<1@example.com>", **headers: str
) -> EmailMessage:
    letter = EmailMessage(policy.SMTP)
    letter["From"], letter["To"], letter["Subject"] = "王小明 <xiaoming@example.com>", INBOX, subject
    if message_id:
        letter["Message-ID"] = message_id
    for name, value in headers.items():
        del letter[name.replace("_", "-")]
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    return letter


def take(app: TicketingApp, customers: Customers | None = None, attempt: int = 1) -> None:
    """Does the jobs of all mails that wait."""
    job = take_mail.job(customers or Customers())
    for arguments in jobs(app, TAKE_MAIL):
        job.run(Running(app, attempt, lambda: False), **arguments)


def answer(app: TicketingApp, customers: Customers | None = None) -> None:
    """Sends all answers that wait."""
    job = send_answer.job(customers or Customers())
    for arguments in jobs(app, SEND_ANSWER):
        job.run(Running(app, 1, lambda: False), **arguments)


def letters(mailbox: Path) -> list[Any]:
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(mailbox.glob("*.eml"))
    ]


def test_a_mail_is_kept_sealed_before_it_is_taken_and_becomes_the_ticket_of_its_sender(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    door.send_message(mail())
    [kept] = app.reader.rows("select sealed, state from mails")
    assert (kept.state, "紫色".encode() in bytes(kept.sealed), b"xiaoming" in bytes(kept.sealed)) == (
        "stored",
        False,
        False,
    )
    customer = person(app)
    take(app, Customers({"xiaoming@example.com": [customer]}))
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    assert (ticket.subject, ticket.channel, ticket.customer_id) == ("沙发", "email", str(customer))
    assert (ticket.requester_name, ticket.requester_email) == ("王小明", "xiaoming@example.com")
    assert desk.messages(ticket.id) == [WORDS]
    assert desk.decisions(ticket.id, "customer")[0].reason == "ONE_ADDRESS"
    take(app)
    assert len(desk.read("list_tickets").tickets) == 1


def test_a_mail_that_is_sent_again_is_one_ticket(app: TicketingApp, door: smtplib.SMTP) -> None:
    for message_id in ("<1@example.com>", "<1@example.com>", "", ""):
        door.send_message(mail(message_id=message_id))
    door.send_message(mail("别的", message_id=""))
    assert len(app.reader.rows("select 1 from mails")) == 3
    assert len(jobs(app, TAKE_MAIL)) == 3


def test_the_same_mail_by_several_connections_at_once_is_kept_once(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    port = door.sock.getpeername()[1]
    letter = mail()

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
            connection.send_message(letter)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(app.reader.rows("select 1 from mails")) == 1


def test_mail_for_others_and_mail_that_is_too_large_is_refused(app: TicketingApp, door: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        door.sendmail("a@example.com", ["somebody@elsewhere.example"], b"Subject: x\r\n\r\nx")
    assert refused.value.recipients["somebody@elsewhere.example"][0] == 550
    with pytest.raises(smtplib.SMTPException):
        door.sendmail("a@example.com", [INBOX], b"x" * 200_000)
    assert app.reader.rows("select 1 from mails") == []


def test_a_mail_that_can_not_be_kept_is_not_taken(
    app: TicketingApp, door: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(app.mail_sealer, "seal_data", away)
    with pytest.raises(smtplib.SMTPDataError) as put_off:
        door.send_message(mail())
    assert put_off.value.smtp_code == 451
    monkeypatch.undo()
    door.send_message(mail())
    assert len(app.reader.rows("select 1 from mails")) == 1


def test_a_mail_that_can_not_be_read_is_a_ticket_that_says_why(app: TicketingApp, door: smtplib.SMTP) -> None:
    door.sendmail("", [INBOX], b"Subject: nobody\r\n\r\nno sender")
    take(app)
    [ticket] = Desk(app).read("list_tickets").tickets
    assert (ticket.unreadable_reason, ticket.status) == ("NO_SENDER", 1)


def test_an_address_that_several_have_leaves_the_customer_to_a_person(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    door.send_message(mail())
    take(app, Customers({"xiaoming@example.com": [person(app), person(app)]}))
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    assert ticket.customer_id == ""
    assert desk.decisions(ticket.id, "customer")[0].reason == "SEVERAL_HAVE_ADDRESS"


def test_a_mail_waits_a_little_for_the_customer_service_and_then_goes_on_without_it(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    door.send_message(mail())
    with pytest.raises(Away):
        take(app, Customers(away=True))
    take(app, Customers(away=True), attempt=3)
    [ticket] = Desk(app).read("list_tickets").tickets
    assert Desk(app).decisions(ticket.id, "customer")[0].reason == "CUSTOMERS_UNAVAILABLE"


def test_an_answer_goes_out_once_refers_to_the_mail_and_comes_back_to_the_ticket(
    app: TicketingApp, door: smtplib.SMTP, mailbox: Path
) -> None:
    door.send_message(mail())
    take(app)
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    desk.tell(ticket.id, "请发照片", awaits_reply=True)
    answer(app)
    answer(app)
    [letter] = letters(mailbox)
    assert (letter["To"], letter["Subject"]) == ("xiaoming@example.com", f"Re: 沙发 [{ticket.number}]")
    assert (letter["In-Reply-To"], letter.get_content().strip()) == ("<1@example.com>", "请发照片")
    assert [one.delivery for one in desk.read("list_messages", id=ticket.id).messages] == [0, 2]
    door.send_message(mail("见附件", "答复", "<2@example.com>", To=letter["Reply-To"]))
    door.send_message(mail("另见", "别的", "<3@example.com>", In_Reply_To=letter["Message-ID"]))
    take(app)
    assert desk.messages(ticket.id) == [WORDS, "请发照片", "见附件", "另见"]
    assert desk.get(ticket.id).status == 1


def test_an_absence_note_answers_nothing(app: TicketingApp, door: smtplib.SMTP, mailbox: Path) -> None:
    door.send_message(mail())
    take(app)
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    desk.tell(ticket.id, "请发照片", awaits_reply=True)
    answer(app)
    [letter] = letters(mailbox)
    note = mail(
        "我在休假", "自动答复", "<2@example.com>", To=letter["Reply-To"], Auto_Submitted="auto-replied"
    )
    door.send_message(note)
    take(app)
    assert desk.get(ticket.id).status == 2
    assert desk.read("list_messages", id=ticket.id).messages[-1].automatic


def test_what_answers_a_closed_ticket_opens_one_that_follows_it(
    app: TicketingApp, door: smtplib.SMTP, mailbox: Path
) -> None:
    customer = person(app)
    desk, customers = Desk(app), Customers({"xiaoming@example.com": [customer]})
    ticket = desk.open("沙发", customer_id=str(customer))
    desk.command("resolve_ticket", id=ticket.id, solution="已修")
    answer(app, customers)
    desk.command("close_ticket", id=ticket.id)
    [letter] = letters(mailbox)
    door.send_message(mail("又坏了", "Re: 沙发", "<2@example.com>", To=letter["Reply-To"]))
    take(app)
    [follower] = desk.read("list_tickets", filter='status == "open"').tickets
    assert (follower.follows_id, follower.customer_id) == (ticket.id, str(customer))


@pytest.mark.parametrize(("address", "delivery"), [("refused@example.com", 3), ("", 4)])
def test_what_becomes_of_an_answer_is_seen(
    app: TicketingApp, mailbox: Path, address: str, delivery: int
) -> None:
    customer = person(app)
    desk = Desk(app)
    ticket = desk.open(customer_id=str(customer))
    desk.tell(ticket.id)
    answer(app, Customers({address: [customer]} if address else {}))
    assert desk.read("list_messages", id=ticket.id).messages[-1].delivery == delivery
    assert letters(mailbox) == []


def test_an_answer_waits_while_the_mail_server_puts_it_off(app: TicketingApp, mailbox: Path) -> None:
    desk = Desk(app)
    ticket = desk.open(requester_email="later@example.com")
    desk.tell(ticket.id)
    with pytest.raises(MailUnavailable):
        answer(app)
    assert desk.read("list_messages", id=ticket.id).messages[-1].delivery == 1


def sweep(app: TicketingApp) -> None:
    """The round that takes what was left behind."""
    take_mail.sweep(Customers()).run(Running(app, 1, lambda: False))


def test_a_mail_that_fails_for_ever_is_seen_and_stands_in_nobodys_way(
    app: TicketingApp, door: smtplib.SMTP, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, subject in enumerate(("毒", "沙发")):
        door.send_message(mail(subject=subject, message_id=f"<{number}@example.com>"))
        clock.instant += timedelta(minutes=1)

    def take_all_but_one(work: Any, mail_id: UUID, letter: Any, *rest: Any) -> Any:
        if letter.subject == "毒":
            raise AssertionError("nobody thought of this")
        return usecases.take_mail(work, mail_id, letter, *rest)

    monkeypatch.setattr(take_mail, "take_mail", take_all_but_one)
    clock.instant += timedelta(hours=1)
    sweep(app)
    shown = {(one.subject, one.unreadable_reason) for one in Desk(app).read("list_tickets").tickets}
    assert shown == {("沙发", ""), ("无法解析的邮件", "FAILED")}
    clock.instant += timedelta(days=31)
    sweep(app)
    assert app.reader.rows("select 1 from mails where sealed is not null") == []


def test_a_mail_that_waits_for_the_store_is_taken_later(
    app: TicketingApp, door: smtplib.SMTP, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.send_message(mail())
    clock.instant += timedelta(hours=1)

    def away(*_: object) -> None:
        raise Away

    monkeypatch.setattr(take_mail, "take_mail", away)
    sweep(app)
    assert list(Desk(app).read("list_tickets").tickets) == []
    monkeypatch.undo()
    sweep(app)
    assert [one.subject for one in Desk(app).read("list_tickets").tickets] == ["沙发"]
