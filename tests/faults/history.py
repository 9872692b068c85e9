"""What clients did, and what they were answered: the ground truth that every check starts from."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Operation:
    """One command of a client. `state` is "ok" when it was acknowledged, "refused" when it was answered with
    an error for good, "unknown" when no answer ever came."""

    key: str
    began: float
    ended: float = 0.0
    state: str = "unknown"
    answer: bytes = b""


@dataclass
class History:
    """Threads share one. A key names an effect: one command has one key, however often it is sent."""

    operations: list[Operation] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def operation(self, key: str) -> Iterator[Operation]:
        """Notes the command before it is sent; whoever sends it says how it ended."""
        operation = Operation(key, time.monotonic())
        with self._lock:
            self.operations.append(operation)
        try:
            yield operation
        finally:
            operation.ended = time.monotonic()

    def keys(self, state: str) -> set[str]:
        """Keys of which at least one command ended so."""
        with self._lock:
            return {operation.key for operation in self.operations if operation.state == state}

    def of(self, source: str, kinds: Collection[str]) -> History:
        """The part of it whose keys begin with `source` and one of `kinds`."""
        starts = tuple(f"{source} {kind} " for kind in kinds)
        with self._lock:
            return History([one for one in self.operations if one.key.startswith(starts)])

    def ended(self) -> int:
        """How many commands came to an end, whichever."""
        with self._lock:
            return sum(operation.ended > 0 for operation in self.operations)

    def count(self) -> int:
        with self._lock:
            return len(self.operations)


@dataclass(frozen=True)
class Findings:
    """What is wrong, by key: acknowledged and not there, there more than once, there though it was never
    wished or was refused."""

    lost: frozenset[str]
    duplicated: frozenset[str]
    unexpected: frozenset[str]

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.unexpected)

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            self.lost | other.lost,
            self.duplicated | other.duplicated,
            self.unexpected | other.unexpected,
        )


NOTHING = Findings(frozenset(), frozenset(), frozenset())


def check(history: History, effects: Counter[str]) -> Findings:
    """Compares what was acknowledged with how often each effect stands in a store.

    An acknowledged command has its effect exactly once, one without an answer at most once, a refused
    one never (invariants 1 to 4).
    """
    wished = {operation.key for operation in history.operations}
    acknowledged = history.keys("ok")
    refused = history.keys("refused") - acknowledged - history.keys("unknown")
    present = {key for key, count in effects.items() if count}
    return Findings(
        lost=frozenset(acknowledged - present),
        duplicated=frozenset(key for key, count in effects.items() if count > 1),
        unexpected=frozenset((present - wished) | (present & refused)),
    )
