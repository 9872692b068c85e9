"""An import: a run over one file, in steps that a restart repeats without doing anything twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from customer.domain.importing.errors import ImportState as WrongState
from kernel.pure.grants import Principal

# Exactly so many rows are tried first (C-10).
TRIAL_ROWS = 100
# So many rows are one transaction.
CHUNK_ROWS = 2_500
# A step that failed so often in succession is not tried again.
MOST_FAILURES = 5


class State(StrEnum):
    TRIAL_RUNNING = "trial_running"
    TRIAL_DONE = "trial_done"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


_RUNNABLE = (State.TRIAL_RUNNING, State.RUNNING)
_OPEN = (*_RUNNABLE, State.TRIAL_DONE)


@dataclass(frozen=True)
class Options:
    """What was asked for. `columns` maps names of columns to fields; `owner_id` will own the customers."""

    columns: Mapping[str, str]
    source: str
    kind: str
    owner_id: UUID
    merge_duplicates: bool
    # Of the file: "csv" or "xlsx", and the codec of a csv.
    format: str
    encoding: str


@dataclass(frozen=True)
class Counts:
    """Rows by what became of them."""

    read: int = 0
    created: int = 0
    merged: int = 0
    unchanged: int = 0
    refused: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.created + other.created,
            self.merged + other.merged,
            self.unchanged + other.unchanged,
            self.refused + other.refused,
        )


@dataclass
class Import:
    """A run over the file `upload_id`, on behalf of `principal`."""

    id: UUID
    upload_id: UUID
    file_name: str
    state: State
    options: Options
    principal: Principal
    bytes_total: int
    counts: Counts = Counts()
    bytes_read: int = 0
    # Failures since the last step that succeeded.
    failures: int = 0
    # Why it ended early: a reason of errors.ENDINGS.
    error: str = ""
    ended_at: datetime | None = None

    @property
    def runnable(self) -> bool:
        """Whether there is something to do without anybody's word."""
        return self.state in _RUNNABLE

    @property
    def most_rows(self) -> int:
        """How many rows the next step takes at most."""
        return TRIAL_ROWS if self.state is State.TRIAL_RUNNING else CHUNK_ROWS

    def confirm(self) -> None:
        """Goes on after the trial; a second time changes nothing. Raises IMPORT_STATE."""
        if self.state is State.TRIAL_DONE:
            self.state = State.RUNNING
        elif self.state not in (State.RUNNING, State.DONE):
            raise WrongState(state=self.state)

    def cancel(self, now: datetime) -> None:
        """Ends it where it stands; a second time changes nothing. Raises IMPORT_STATE."""
        if self.state in _OPEN:
            self._end(State.CANCELLED, now)
        elif self.state is not State.CANCELLED:
            raise WrongState(state=self.state)

    def advance(self, counts: Counts, bytes_read: int, *, at_end: bool, now: datetime) -> None:
        """A step is done: `counts` of its rows; `at_end` when the file has no more."""
        self.counts += counts
        self.bytes_read = self.bytes_total if at_end else bytes_read
        self.failures = 0
        if self.state is State.TRIAL_RUNNING:
            self.state = State.TRIAL_DONE
        elif at_end:
            self._end(State.DONE, now)

    def fail(self, reason: str, now: datetime) -> None:
        """Ends it for a reason that trying again can't mend."""
        self.error = reason
        self._end(State.FAILED, now)

    def _end(self, state: State, now: datetime) -> None:
        self.state = state
        self.ended_at = now
