"""A ticket: a customer's concern, from its first word to its solution (T-08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.pure.text.folding import has_han
from ticketing.domain.clocks import Clock, Span, strictest
from ticketing.domain.errors import TicketStatusForbids

OPEN, PENDING, RESOLVED, CLOSED = "open", "pending", "resolved", "closed"
WAITING, SOLVED = "waiting", "solved"


@dataclass
class Words:
    """What people said and who they are: personal, hence kept sealed."""

    subject: str
    requester_name: str = ""
    requester_email: str = ""
    solution: str = ""


@dataclass
class Pause:
    """Time that pausing clocks leave out: WAITING for the customer, or SOLVED until it was reopened."""

    start: datetime
    why: str
    end: datetime | None = None


def spans(pauses: Sequence[Pause], now: datetime) -> list[tuple[Span, str]]:
    """The pauses until `now`, each with its reason."""
    return [(Span(pause.start, pause.end or now), pause.why) for pause in pauses]


@dataclass
class Ticket:
    """Changed by its verbs only, each of which raises TicketStatusForbids when its status forbids it."""

    id: UUID
    number: str
    # 0 before it is first kept.
    version: int
    kind: str
    topic: str
    priority: str
    channel: str
    language: str
    # Names of word lists of which a word was said so far.
    said: tuple[str, ...]
    words: Words
    opened_at: datetime
    # When the customer last said something.
    heard_at: datetime
    status: str = OPEN
    customer_id: UUID | None = None
    team_id: UUID | None = None
    assignee_id: UUID | None = None
    follows_id: UUID | None = None
    # Why the mail it came by could not be read.
    unreadable: str = ""
    answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    planned_at: datetime | None = None
    solved_at: datetime | None = None
    closed_at: datetime | None = None
    # Whether kind, topic or priority were set by hand, so that rules leave them alone.
    by_hand: frozenset[str] = frozenset()
    pauses: list[Pause] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    # Its words are gone for good: it is closed, and stays as a figure.
    erased: bool = False

    @property
    def subject_id(self) -> UUID:
        """Whose key seals its words: the customer's, or its own while the customer is not known."""
        return self.customer_id or self.id

    @property
    def is_active(self) -> bool:
        """Whether somebody still works on it."""
        return self.status in (OPEN, PENDING)

    def hear(self, at: datetime, said: Sequence[str]) -> None:
        """The customer said something: it is open again. A closed ticket hears nothing more."""
        self._require("open", OPEN, PENDING, RESOLVED)
        self.heard_at = at
        self.said = tuple(sorted({*self.said, *said}))
        if self.status == RESOLVED:
            self._take_up(at)
        self._end_pause(at)
        self.status = OPEN

    def answer(self, at: datetime, awaits_reply: bool, states_plan: bool) -> None:
        """Somebody told the customer something."""
        self._require("answered", OPEN, PENDING, RESOLVED)
        self._answered(at)
        if states_plan:
            self.planned_at = self.planned_at or at
        if awaits_reply and self.status == OPEN:
            self.pauses.append(Pause(at, WAITING))
            self.status = PENDING

    def resolve(self, at: datetime, solution: str) -> None:
        """It is solved, and the customer is told how."""
        self._require("resolved", OPEN, PENDING)
        self._end_pause(at)
        self._answered(at)
        self.planned_at = self.planned_at or at
        self.solved_at = at
        self.words.solution = solution
        self.status = RESOLVED

    def close(self, at: datetime) -> None:
        self._require("closed", RESOLVED)
        self.closed_at = at
        self.status = CLOSED

    def reopen(self, at: datetime) -> None:
        """It was not solved after all: clocks that count until it is go on from where they stood."""
        self._require("open", RESOLVED, CLOSED)
        self._take_up(at)
        self.status = OPEN

    def erase(self, at: datetime) -> None:
        """Nobody may know any more what was said: it ends, whatever its status."""
        self._end_pause(at)
        for clock in self.clocks:
            clock.withdrawn_at = at if clock.runs else clock.withdrawn_at
        self.closed_at = self.closed_at or at
        self.status = CLOSED
        self.words = Words("")
        self.erased = True

    def rests(self, now: datetime) -> list[tuple[Span, str]]:
        """The time until `now` that pausing clocks leave out, and why."""
        return spans(self.pauses, now)

    @property
    def next_clock(self) -> Clock | None:
        return strictest(self.clocks) if self.is_active else None

    def _answered(self, at: datetime) -> None:
        self.answered_at = self.answered_at or at
        self.last_answered_at = at

    def _take_up(self, at: datetime) -> None:
        if self.solved_at is not None:
            self.pauses.append(Pause(self.solved_at, SOLVED, at))
        self.solved_at = self.closed_at = None

    def _end_pause(self, at: datetime) -> None:
        if self.pauses and self.pauses[-1].end is None:
            self.pauses[-1].end = at

    def _require(self, wanted: str, *statuses: str) -> None:
        if self.status not in statuses:
            raise TicketStatusForbids(status=self.status, wanted=wanted)


@dataclass(frozen=True)
class Standing:
    """What is known of a customer here: class by scheme, and by whom they are read."""

    classes: Mapping[str, str] = field(default_factory=dict)


def facts_of(ticket: Ticket, standing: Standing) -> dict[str, Any]:
    """What rules may ask of a ticket."""
    return {
        "kind": ticket.kind,
        "topic": ticket.topic,
        "priority": ticket.priority,
        "channel": ticket.channel,
        "language": ticket.language,
        "tier": standing.classes.get("spend_tier", ""),
        "rfm": standing.classes.get("rfm", ""),
        "known": ticket.customer_id is not None,
        "words": list(ticket.said),
    }


def language_of(text: str) -> str:
    """ "zh" when a Chinese character stands in it, else "en"."""
    return "zh" if has_han(text) else "en"
