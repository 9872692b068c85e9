"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal
from ticketing.domain.judging import Agent, Decision
from ticketing.domain.linking import Candidate
from ticketing.domain.rulebook import RuleBook
from ticketing.domain.survey import Survey
from ticketing.domain.ticket import Standing, Ticket

# Timers, keyed by ticket.
CLOCK_TIMER = "clock"
CLOSE_TIMER = "close"
# Jobs.
SEND_ANSWER = "send_answer"
GIVE_OUT = "give_out_tickets"
TAKE_MAIL = "take_mail"
SEND_SURVEY = "send_survey"

FROM_CUSTOMER, TO_CUSTOMER, NOTE = "from_customer", "to_customer", "note"


@dataclass(frozen=True)
class Message:
    """A contribution to a conversation. `mail_id` is the Message-ID of the mail it came by; `delivery`
    what becomes of one that goes out by mail, empty for any other."""

    id: UUID
    ticket_id: UUID
    direction: str
    content: str
    channel: str
    author_id: str
    created_at: datetime
    mail_id: str = ""
    attachment_count: int = 0
    automatic: bool = False
    delivery: str = ""


class Tickets(Protocol):
    def next_number(self) -> str: ...

    def lend(self, ticket_id: UUID, permission: str, etag: str = "") -> Ticket:
        """The ticket, locked until the end of the transaction.

        Raises TicketNotFound, TicketErased, SubjectRestricted or StaleEtag.
        """

    def lend_to_join(self, ticket_id: UUID) -> Ticket:
        """The same for what a customer says, whoever has the ticket in hand. Raises TicketNotFound."""

    def save(self, ticket: Ticket) -> None:
        """Keeps the ticket under its next version, and sets its timers. Raises StaleEtag or SubjectErased."""

    def to_join(self, customer_ids: Collection[UUID], requester_email: str) -> list[Candidate]:
        """The tickets not closed of these customers; of nobody known, those of the same address; alone with
        these until the end of the transaction."""

    def newest(self, limit: int) -> list[Ticket]:
        """The tickets opened last, without what people said; to be looked at and not to be saved."""

    def waiting(self, team_id: UUID) -> list[UUID]:
        """Ids of the team's tickets that nobody has in hand, the most urgent first."""


class Messages(Protocol):
    def add(self, message: Message, subject_id: UUID) -> None:
        """Keeps a message, its words sealed under the key of `subject_id`. Raises SubjectErased."""

    def seal_for(self, ticket_id: UUID, subject_id: UUID) -> None:
        """Seals the words of a ticket anew, now that it is known whose they are."""

    def erase_of(self, ticket_ids: Sequence[UUID]) -> int:
        """The words of these conversations go, and what waits to go out stays; answers how many messages."""

    def delivered(self, message_id: UUID, delivery: str) -> None:
        """Notes what became of a message that was to go out: "sent", "failed", "no_address", "withheld"."""


class Mails(Protocol):
    def add(self, mail_id: UUID, channel: str, message_id: str, raw: bytes) -> bool:
        """Keeps a mail; False when one of the same Message-ID, or without one of the same bytes, is held."""

    def claim(self, mail_id: UUID) -> tuple[str, datetime] | None:
        """By which channel and when a mail came that is still to be taken, locked; None for any other."""

    def taken(self, mail_id: UUID, ticket_id: UUID, reason: str = "") -> None:
        """Notes the ticket that a mail went to, and why it could not be read."""

    def destroy_of(self, ticket_ids: Sequence[UUID]) -> int:
        """Destroys the bytes of the mails of these tickets; answers how many."""


class Surveys(Protocol):
    def add(self, survey: Survey) -> bool:
        """Keeps a survey that is to be sent; False when the ticket has one."""

    def lend(self, survey_id: UUID) -> Survey | None:
        """The survey, locked until the end of the transaction."""

    def save(self, survey: Survey) -> None:
        """Keeps the answer, its comment sealed."""

    def delivered(self, survey_id: UUID, delivery: str) -> None:
        """Notes what became of the mail that asks: "sent", "failed", "no_address", "withheld"."""

    def erase_of(self, ticket_ids: Sequence[UUID]) -> int:
        """Comments go, and what was not answered can't be any more; answers how many surveys."""


@dataclass(frozen=True)
class Form:
    """Whoever has its id and key, which stand in the page, may submit it."""

    id: UUID
    title: str
    key: str


class Forms(Protocol):
    def add(self, form: Form) -> None: ...

    def get(self, form_id: UUID) -> Form | None: ...


class Erasing(Protocol):
    def note_addresses(self, subject_ids: Collection[UUID], emails: Collection[str]) -> None:
        """Keeps by which addresses a person's tickets are found, as keyed hashes."""

    def tickets_of(self, subject_ids: Collection[UUID]) -> list[UUID]:
        """Ids of a person's tickets that hold words, also of those that nobody said are theirs."""

    def classes_of(self, subject_ids: Collection[UUID]) -> int:
        """Forgets how these were classified; answers how many classes that were."""

    def customers_of(self, subject_ids: Collection[UUID]) -> int:
        """Marks these as deleted; answers how many were not."""

    def forget_addresses(self, subject_ids: Collection[UUID]) -> None: ...

    def destroy_keys(self, ticket_ids: Sequence[UUID]) -> int:
        """Destroys the keys that tickets had of their own while nobody was known; answers how many."""


class Decisions(Protocol):
    def add(self, ticket_id: UUID, decisions: Sequence[Decision]) -> None: ...


class RuleBooks(Protocol):
    def current(self) -> RuleBook:
        """The newest rule book."""

    def current_alone(self) -> RuleBook:
        """The newest one, alone with it until the end of the transaction."""

    def publish(self, version: int, document: Mapping[str, Any], actor_id: str) -> None: ...


class Agents(Protocol):
    def of_team(self, team_id: UUID, capacity: int) -> list[Agent]:
        """The team's agents, alone with them until the end of the transaction."""

    def team_of(self, user_id: UUID) -> tuple[bool, UUID | None]:
        """Whether there is such a member of staff, and their team."""

    def teams(self, team_ids: Collection[UUID]) -> set[UUID]:
        """Those of these teams that there are."""

    def save(self, user_id: UUID, capacity: int | None, away: bool) -> None: ...


@dataclass(frozen=True)
class CustomerRow:
    customer_id: UUID
    version: int
    kind: str
    deleted: bool


@dataclass(frozen=True)
class ClassRow:
    customer_id: UUID
    scheme: str
    version: int
    class_: str


class Customers(Protocol):
    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""

    def classify(self, told: Iterable[ClassRow]) -> None:
        """The same of classes."""

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """The same of (customer id, survivor id, version) links."""

    def standing(self, customer_id: UUID | None) -> Standing:
        """What rules may ask of a customer, by whom they are read now."""

    def group(self, customer_id: UUID) -> Collection[UUID]:
        """The customer and all that are read through the same one."""

    def survivor(self, customer_id: UUID) -> UUID | None:
        """By whom a customer is read; None when they are not known here, or deleted."""

    def refuse_restricted(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's data may not be used now."""


class Work(Protocol):
    """An open unit of work of the ticketing service."""

    @property
    def clock(self) -> Clock: ...

    @property
    def now(self) -> datetime: ...

    @property
    def principal(self) -> Principal: ...

    @property
    def tickets(self) -> Tickets: ...

    @property
    def messages(self) -> Messages: ...

    @property
    def mails(self) -> Mails: ...

    @property
    def surveys(self) -> Surveys: ...

    @property
    def forms(self) -> Forms: ...

    @property
    def erasing(self) -> Erasing: ...

    @property
    def decisions(self) -> Decisions: ...

    @property
    def rule_books(self) -> RuleBooks: ...

    @property
    def agents(self) -> Agents: ...

    @property
    def customers(self) -> Customers: ...

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None: ...

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None: ...

    def schedule(
        self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
    ) -> None: ...

    def cancel(self, kind: str, key: str) -> None: ...
