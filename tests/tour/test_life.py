"""What the tour's steps through a customer's life are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from crm_cli.client import Refused
from crm_cli.local.mailbox import Mailbox
from crm_cli.local.ports import choose
from crm_cli.local.stack import ServerInfo, StackInfo
from crm_cli.tour.figures import ClassCounts
from crm_cli.tour.life.leaving import leaver, uneven
from crm_cli.tour.life.post import INBOX, Post
from kernel.pure.contact import normalize_email, normalize_phone

MARK = "0123456789ab"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Path]:
    """The folder of an installation whose mails come in where they go out."""
    folder = tmp_path / "mailbox"
    folder.mkdir()
    port = choose(tmp_path / "ports.json", ["ticketing.smtp"], {})["ticketing.smtp"]
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    yield tmp_path
    controller.stop()


def stack(folder: Path, private: bool = True) -> StackInfo:
    servers = [ServerInfo("mailbox", "smtp://127.0.0.1:1", private)]
    return StackInfo("t", "/", str(folder), "ready", None, "https://localhost", "", "", "", servers)


def test_a_customer_reads_what_came_to_them_about_their_ticket_only(mailbox: Path) -> None:
    post = Post(stack(mailbox))
    for recipient, subject in (
        ("li@example.com", "答复 [T1]"),
        ("li@example.com", "答复 [T2]"),
        ("wang@example.com", "li@example.com 答复 [T1]"),
    ):
        post.write("support@crm.example", subject, f"您好，{subject}", to=recipient)
    [letter] = post.letters("li@example.com", "T1")
    assert (letter["From"], letter.get_content().strip()) == (INBOX, "您好，答复 [T1]")


def test_what_goes_to_a_server_of_the_users_cannot_be_read(mailbox: Path) -> None:
    assert (Post(stack(mailbox)).readable, Post(stack(mailbox, private=False)).readable) == (True, False)


def test_a_mail_that_nobody_takes_is_a_refusal(mailbox: Path) -> None:
    post = Post(stack(mailbox))
    with pytest.raises(Refused) as refused:
        post.write("li@example.com", "?", "?", to="refused@example.com")
    assert refused.value.reason == "MAIL_NOT_TAKEN"


def test_whoever_leaves_is_somebody_else_in_each_run() -> None:
    one, other = leaver(MARK), leaver("f" + MARK[1:])
    assert one == leaver(MARK)
    assert not {one.full_name, one.phone, one.email} & {other.full_name, other.phone, other.email}
    assert normalize_phone(one.phone) == f"+86{one.phone}"
    assert normalize_email(one.email) == one.email


def counts(told: dict[str, int], listed: dict[str, int]) -> ClassCounts:
    return ClassCounts(told=told, listed=listed, own={})


def test_who_was_erased_counts_on_and_is_listed_no_more() -> None:
    before = counts({"minor": 3, "core": 1}, {"minor": 3, "core": 1})
    good = counts({"minor": 3, "core": 1}, {"minor": 2, "core": 1})
    assert list(uneven("tier", "minor", before, good)) == []
    last = counts({"minor": 3, "core": 1}, {"minor": 3})
    assert list(uneven("tier", "core", before, last)) == []


@pytest.mark.parametrize(
    ("told", "listed"),
    [
        ({"minor": 2, "core": 1}, {"minor": 2, "core": 1}),
        ({"minor": 3, "core": 1}, {"minor": 3, "core": 1}),
        ({"minor": 3, "core": 1}, {"minor": 3}),
    ],
    ids=["counts no more", "is listed still", "another is gone"],
)
def test_what_does_not_add_up_is_told(told: dict[str, int], listed: dict[str, int]) -> None:
    before = counts({"minor": 3, "core": 1}, {"minor": 3, "core": 1})
    assert len(list(uneven("tier", "minor", before, counts(told, listed)))) == 1
