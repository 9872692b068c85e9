"""What a service answers when the data of a person was erased in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.pure.events import Event


@dataclass(frozen=True)
class ErasedRows:
    """How many rows of a table are gone, or lost what identifies the person."""

    table: str
    rows: int


@dataclass(frozen=True)
class RetainedRows:
    """Rows that the law commands to keep, on which basis and until which day; sealed, and out of use."""

    basis: str
    until: date
    rows: int


@dataclass(frozen=True)
class Erasure:
    """What one erasure did in one service: rows by table, what stays, and which keys must go.

    `key_classes` names the classes of keys to destroy when some must outlive the erasure; None
    destroys all keys of the person.
    """

    rows: Mapping[str, int]
    retained: Sequence[RetainedRows] = ()
    key_classes: Collection[str] | None = None


@dataclass(frozen=True)
class Receipt(Event):
    """Each service tells it as its own SubjectErased; a second erasure of the same person counts no rows."""

    request_id: UUID
    attempt: int
    counts: tuple[ErasedRows, ...]
    retained: tuple[RetainedRows, ...]
