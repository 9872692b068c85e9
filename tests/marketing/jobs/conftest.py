"""A town in which campaigns are sent: the other services, and a real mail server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from kernel.jobs.job import Running
from kernel.mail.mailer import Mailer
from kernel.pure.clock import FixedClock
from kernel.pure.ids import new_id
from kernel.pure.permits import PURPOSE, Permit, issue
from kernel.pure.signing import Signer
from kernel.rpc.channel import PeerUnavailable
from marketing.domain.campaign import Campaign
from marketing.jobs.courier import Courier
from marketing.jobs.send_campaigns import Sending
from marketing.usecases.ports import Contact, Leave
from marketing.wiring import MarketingApp

PERMIT_SECONDS = 60


class Inbox:
    """A mail server that keeps what it was sent. Recipients that begin with "no" are refused."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.busy = False
        self.refusal = "550 no such mailbox"
        self.received: Callable[[], None] = lambda: None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.busy:
            return "451 busy"
        if address.startswith("no"):
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos[0], mail))
        self.received()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.mails)


class Town:
    """The other services: a group of people, how they are reached, and what they consented to."""

    def __init__(self, clock: FixedClock, people: int) -> None:
        self._clock = clock
        self._signer = Signer(b"s" * 32, PURPOSE)
        self.people = {new_id(): f"p{number:03}@example.com" for number in range(people)}
        self.unwilling: set[UUID] = set()
        self.away: set[str] = set()
        # Whose names and addresses left the customer service.
        self.disclosed: set[UUID] = set()
        self.permits_asked = 0
        # The event of the ledger that permits rest on.
        self.consent = "consent 1"

    def members(self, group_id: UUID, after: str) -> tuple[list[UUID], str]:
        """Two pages; the second repeats one of the first, as a group that changes meanwhile may."""
        people = list(self.people)
        half = len(people) // 2
        return (people[half - 1 :], "") if after else (people[:half], "second")

    def contacts(self, customer_ids: Sequence[UUID]) -> Mapping[UUID, Contact]:
        self._answer("customer")
        self.disclosed.update(customer_ids)
        return {
            one: Contact("王小明", [self.people[one]] if self.people[one] else [], False)
            for one in customer_ids
        }

    def leave_to_send(self, campaign: Campaign, customer_ids: Sequence[UUID]) -> Mapping[UUID, Leave]:
        self._answer("privacy")
        self.permits_asked += 1
        return {
            one: Leave(refusal="NO_CONSENT") if one in self.unwilling else Leave(self.permit(campaign, one))
            for one in customer_ids
        }

    def permit(self, campaign: Campaign, customer_id: UUID) -> str:
        expires_at = self._clock.now() + timedelta(seconds=PERMIT_SECONDS)
        permit = Permit(
            str(customer_id), campaign.purpose, "email", str(campaign.id), self.consent, expires_at
        )
        return issue(self._signer, permit)

    def permit_keys(self) -> Mapping[str, bytes]:
        return {self._signer.key_id: self._signer.public}

    def _answer(self, service: str) -> None:
        if service in self.away:
            raise PeerUnavailable(service=service)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[tuple[Inbox, SecretStr]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Inbox(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller.handler, SecretStr(f"smtp://127.0.0.1:{port}")
    controller.stop()


@pytest.fixture
def inbox(mail_server: tuple[Inbox, SecretStr]) -> Inbox:
    inbox, _ = mail_server
    inbox.__init__()  # type: ignore[misc]
    return inbox


@pytest.fixture
def town(clock: FixedClock) -> Town:
    return Town(clock, 10)


@pytest.fixture
def run(app: MarketingApp, town: Town, mail_server: tuple[Inbox, SecretStr]) -> Callable[..., None]:
    """Runs the job until it has nothing to do now, as a process of its own would."""

    def send(courier: type[Courier] = Courier, stop: Callable[[], bool] = lambda: False) -> None:
        with closing(Mailer(mail_server[1], (), app.clock)) as mailer:
            brings = courier(mailer, app.tokens, "https://crm.example", "Shop <news@shop.example>")
            sending = Sending(Running(app, 1, stop), town, brings)
            while sending.step() and not stop():
                pass

    return send
