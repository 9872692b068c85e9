"""Mail goes out with an authority and not otherwise, and what became of it is known."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from crm_cli.local.mailbox import Mailbox
from kernel.mail.letter import Letter
from kernel.mail.mailer import Mailer, MailNotPermitted, MailRefused, MailUnavailable, ServicePurpose
from kernel.pure.clock import FixedClock

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
CLOCK = FixedClock(ZoneInfo("Asia/Shanghai"), NOON)
ANSWER = ServicePurpose("answer")


def letter(recipient: str = "a@example.com", subject: str = "发票 …") -> Letter:
    return Letter(
        message_id="<1@crm.example>",
        sender="support@crm.example",
        sender_name="客户服务",
        recipient=recipient,
        subject=subject,
        text="您好\n.\n再见",
        references=["<2@example.com>"],
        headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def mailer(port: int) -> Iterator[Mailer]:
    made = Mailer(SecretStr(f"smtp://127.0.0.1:{port}"), ["answer"], CLOCK)
    yield made
    made.close()


@pytest.fixture
def mailbox(tmp_path: Path, port: int) -> Iterator[Path]:
    controller = Controller(Mailbox(tmp_path), hostname="127.0.0.1", port=port)
    controller.start()
    yield tmp_path
    controller.stop()


def arrived(mailbox: Path) -> int:
    return len(list(mailbox.glob("*.eml")))


def test_a_letter_arrives_as_it_was_written(mailer: Mailer, mailbox: Path) -> None:
    mailer.send(letter(), ANSWER)
    [file] = mailbox.glob("*.eml")
    read = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (read["Subject"], read["To"], read["Message-ID"]) == ("发票 …", "a@example.com", "<1@crm.example>")
    assert (read["In-Reply-To"], read["From"].addresses[0].display_name) == ("<2@example.com>", "客户服务")
    assert read["Date"].datetime == NOON
    assert read.get_content().split() == ["您好", ".", "再见"]


def test_nothing_goes_out_for_a_purpose_that_is_not_of_the_list(mailer: Mailer, mailbox: Path) -> None:
    with pytest.raises(MailNotPermitted):
        mailer.send(letter(), ServicePurpose("newsletter"))
    assert arrived(mailbox) == 0


def test_a_recipient_who_is_refused_does_not_spoil_the_next_letter(mailer: Mailer, mailbox: Path) -> None:
    mailer.send(letter(), ANSWER)
    with pytest.raises(MailRefused):
        mailer.send(letter("refused@example.com"), ANSWER)
    with pytest.raises(MailUnavailable):
        mailer.send(letter("later@example.com"), ANSWER)
    mailer.send(letter("b@example.com"), ANSWER)
    assert arrived(mailbox) == 2


class Refusing:
    """A mail server that refuses every recipient with one answer."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    async def handle_RCPT(self, *_: object) -> str:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "no_such_mailbox"),
    [
        ("550 no such user", True),
        ("550 5.1.1 no such user", True),
        ("551 5.1.6 moved", True),
        ("556 5.1.10 takes no mail", True),
        ("550 5.7.1 you are on a blocklist", False),
        ("552 5.2.2 mailbox full", False),
        ("554 5.5.0 not now, not ever", False),
    ],
)
def test_a_mailbox_that_does_not_exist_is_told_from_other_refusals(
    mailer: Mailer, port: int, answer: str, no_such_mailbox: bool
) -> None:
    controller = Controller(Refusing(answer), hostname="127.0.0.1", port=port)
    controller.start()
    with pytest.raises(MailRefused) as refused:
        mailer.send(letter(), ANSWER)
    controller.stop()
    assert refused.value.metadata["code"] == answer[:3]
    assert refused.value.no_such_mailbox is no_such_mailbox


def test_a_server_that_is_away_may_be_asked_again(mailer: Mailer, tmp_path: Path, port: int) -> None:
    with pytest.raises(MailUnavailable):
        mailer.send(letter(), ANSWER)
    for _ in range(2):
        # The connection of the first server is of no use to the second one.
        controller = Controller(Mailbox(tmp_path), hostname="127.0.0.1", port=port)
        controller.start()
        mailer.send(letter(), ANSWER)
        controller.stop()
    assert arrived(tmp_path) == 2


def test_a_subject_brings_no_header_of_its_own(mailer: Mailer, mailbox: Path) -> None:
    with pytest.raises(ValueError, match=r"(?i)header|newline|linefeed"):
        mailer.send(letter(subject="x\r\nBcc: other@example.com"), ANSWER)
    assert arrived(mailbox) == 0
