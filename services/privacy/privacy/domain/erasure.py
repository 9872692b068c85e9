"""An erasure, from the person's request to its certificate.

    RECEIVED ─► VERIFIED ─► (HELD ─►) ERASING ─► KEY_SHREDDED ─► CLOSED
        └──────────┴───────────┴─► REFUSED           │
                                  ERASING ◄─ a backup from before was restored

Every participant is told to erase, as often as it takes. When all have answered, the person is looked up
once more, for they may have been merged with another meanwhile; then all are told once more: it is closed
when everybody found nothing left. Receipts may come late, twice, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kernel.pure.erasure import ErasedRows, RetainedRows
from privacy.domain.errors import ErasureNotInState

# The services that hold data of persons; each hears ErasureOrdered and answers with its SubjectErased.
PARTICIPANTS = ("customer", "marketing", "privacy", "sales", "ticketing")
# Waits between two orders to who has not answered; afterwards each hour.
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
LONGEST_WAIT = timedelta(hours=1)
# Orders after which a silent participant counts as failed: somebody must look.
TRIES = len(WAITS) + 1
# Shares of the time allowed at which an open request raises an alarm.
ALARMS = (50, 80, 100)


class State(StrEnum):
    RECEIVED = "received"
    VERIFIED = "verified"
    HELD = "held"
    ERASING = "erasing"
    KEY_SHREDDED = "key_shredded"
    CLOSED = "closed"
    REFUSED = "refused"


ENDED = (State.CLOSED, State.REFUSED)


class TaskState(StrEnum):
    PENDING = "pending"
    ERASED = "erased"
    RETAINED = "retained"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """A participant's receipt."""

    participant: str
    attempt: int
    counts: Sequence[ErasedRows]
    retained: Sequence[RetainedRows]


@dataclass
class Task:
    """What one participant did: at which attempts it found something, and at which nothing."""

    state: TaskState = TaskState.PENDING
    found: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    retained: tuple[RetainedRows, ...] = ()

    @property
    def last(self) -> int:
        """The last attempt that was answered; 0 before the first answer."""
        return max(self.found | self.empty, default=0)

    @property
    def clean(self) -> int:
        """The last attempt at which it found nothing; 0 while a later one found something."""
        last = max(self.empty, default=0)
        return last if last > max(self.found, default=0) else 0

    def take(self, answer: Answer) -> None:
        """Counts an answer once, whenever it comes."""
        if answer.attempt in self.found | self.empty:
            return
        rows = {one.table: one.rows for one in answer.counts}
        for table, count in rows.items():
            self.counts[table] = self.counts.get(table, 0) + count
        (self.found if any(rows.values()) else self.empty).add(answer.attempt)
        self.retained = tuple(answer.retained) or self.retained
        self.state = TaskState.RETAINED if self.retained else TaskState.ERASED


@dataclass
class Erasure:
    """One request. Verbs check the state, change it, and answer what must be done besides."""

    id: UUID
    customer_id: UUID
    received_at: datetime
    due_at: datetime
    state: State = State.RECEIVED
    # All ids of the person; known once they were looked up.
    subject_ids: tuple[UUID, ...] = ()
    # How often everybody was told to erase; answers count in this state from the attempt `check_from` on,
    # which names all ids, and in the last round must find nothing.
    attempt: int = 0
    check_from: int = 0
    # Orders since somebody last answered something new.
    tries: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    evidence: str = ""
    refusal_code: str = ""
    refusal_reason: str = ""
    closed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def outcome(self) -> str:
        """What is told at the end."""
        if self.state is State.REFUSED:
            return "refused"
        return "retained" if any(task.retained for task in self.tasks.values()) else "erased"

    @property
    def silent(self) -> list[str]:
        """Who has still to answer in this state."""
        if self.state is State.ERASING:
            first = max(1, self.check_from)
            return [name for name, task in self.tasks.items() if task.last < first]
        if self.state is State.KEY_SHREDDED:
            return [name for name, task in self.tasks.items() if task.clean < self.check_from]
        return []

    def verify(self, evidence: str) -> None:
        """Raises ErasureNotInState."""
        self._demand(State.RECEIVED)
        self.evidence = evidence
        self.state = State.VERIFIED

    def refuse(self, code: str, reason: str, now: datetime) -> None:
        """Raises ErasureNotInState once it was begun."""
        self._demand(State.RECEIVED, State.VERIFIED, State.HELD)
        self.refusal_code, self.refusal_reason = code, reason
        self.state, self.closed_at = State.REFUSED, now

    def identify(self, subject_ids: Sequence[UUID]) -> None:
        """The person was looked up. Raises ErasureNotInState."""
        self._demand(State.VERIFIED)
        self.subject_ids = tuple(sorted({self.customer_id, *subject_ids}))

    def begin(self, held: bool) -> bool:
        """Begins unless a hold stands against it; whether all must be told. Raises ErasureNotInState."""
        self._demand(State.VERIFIED, State.HELD)
        if held:
            self.state = State.HELD
            return False
        self.state = State.ERASING
        self.tasks = {name: Task() for name in PARTICIPANTS}
        self._order()
        return True

    def receive(self, answer: Answer, now: datetime) -> bool:
        """Takes a receipt; whether the person must be looked up again, for everybody destroyed the keys.

        One that says nothing new changes nothing.
        """
        task = self.tasks.get(answer.participant)
        if task is None or self.ended or not 0 < answer.attempt <= self.attempt:
            return False
        task.take(answer)
        if self.silent:
            return False
        if self.state is State.ERASING:
            return True
        self.state, self.closed_at = State.CLOSED, now
        return False

    @property
    def to_confirm(self) -> bool:
        """Whether everybody destroyed the keys, and the person was not looked up again yet."""
        return self.state is State.ERASING and not self.silent

    def confirm(self, subject_ids: Sequence[UUID]) -> tuple[UUID, ...]:
        """The person was looked up again, and all must be told again; answers the ids that are new.

        With new ones everybody erases again; without, everybody must find nothing.
        """
        new = tuple(sorted(set(subject_ids) - set(self.subject_ids)))
        self.subject_ids = tuple(sorted({*self.subject_ids, *new}))
        if not new:
            self.state = State.KEY_SHREDDED
        self.check_from = self.attempt + 1
        self._order()
        return new

    def reopen(self, due_at: datetime) -> None:
        """A backup from before it was closed was restored: everybody is told again, and must find nothing in
        the end. What was found before stays counted, and the certificate stands until there is a new one.

        Raises ErasureNotInState.
        """
        self._demand(State.CLOSED)
        self.state, self.due_at = State.ERASING, due_at
        for name in PARTICIPANTS:
            self.tasks.setdefault(name, Task()).state = TaskState.PENDING
        self.check_from = self.attempt + 1
        self._order()

    def remind(self) -> list[str]:
        """Time has passed without an end: everybody is told again. Answers who has newly failed."""
        self._demand(State.ERASING, State.KEY_SHREDDED)
        self.attempt += 1
        self.tries += 1
        failed = []
        if self.tries >= TRIES:
            for name in self.silent:
                if self.tasks[name].state is not TaskState.FAILED:
                    self.tasks[name].state = TaskState.FAILED
                    failed.append(name)
        return failed

    def next_wait(self) -> timedelta:
        """How long to wait for answers before everybody is told again."""
        return WAITS[self.tries] if self.tries < len(WAITS) else LONGEST_WAIT

    def _order(self) -> None:
        self.attempt += 1
        self.tries = 0

    def _demand(self, *states: State) -> None:
        if self.state not in states:
            raise ErasureNotInState(state=self.state.value)


def alarm_times(received_at: datetime, due_at: datetime) -> Mapping[int, datetime]:
    """When an open request raises an alarm, by share of the time allowed."""
    return {percent: received_at + (due_at - received_at) * percent / 100 for percent in ALARMS}
