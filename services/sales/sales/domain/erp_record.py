"""Records that an ERP owns and we hold a copy of: how they are named, and which of two is newer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from kernel.pure.errors import Invalid, Violation

# Records a batch may hold; a fact about a batch never holds more.
LARGEST_BATCH = 500


@dataclass(frozen=True, order=True)
class ErpId:
    """The id of a record in the ERP it comes from, unique per (source, value)."""

    source: str
    value: str


class ErpRecord(Protocol):
    """A copy of what the ERP tells; the greater `source_version` is the newer state."""

    @property
    def external_id(self) -> ErpId: ...

    @property
    def source_version(self) -> int: ...


R = TypeVar("R", bound=ErpRecord)


@dataclass(frozen=True)
class Kept:
    """How the store answers for one record: `version` is our own counter, `changed` whether it took it."""

    id: UUID
    version: int
    changed: bool


@dataclass(frozen=True)
class Stored:
    """The record was created or changed."""

    id: UUID


@dataclass(frozen=True)
class Unchanged:
    """A state as new or newer is held."""

    id: UUID


@dataclass(frozen=True)
class Refused:
    """The record breaks a rule."""

    error: Invalid


Outcome = Stored | Unchanged | Refused


def check_batch(field: str, count: int) -> None:
    """Raises Invalid naming the repeated field `field` unless it holds 1 to 500 records."""
    if not 1 <= count <= LARGEST_BATCH:
        raise Invalid.of(
            Violation(
                field,
                "BATCH_SIZE",
                f"must hold 1 to {LARGEST_BATCH} items",
                f"必须包含 1 至 {LARGEST_BATCH} 项",
            )
        )


def newest_of_each(records: Iterable[R]) -> list[R]:
    """Of each external id the record with the greatest source version (the first of equals).

    Sorted by external id, so that concurrent batches lock rows in one order.
    """
    newest: dict[ErpId, R] = {}
    for record in records:
        known = newest.get(record.external_id)
        if known is None or known.source_version < record.source_version:
            newest[record.external_id] = record
    return [newest[external_id] for external_id in sorted(newest)]


def outcomes_of(
    read: Sequence[R | Invalid], newest: Sequence[R], kept: Mapping[ErpId, Kept]
) -> list[Outcome]:
    """One outcome for each record of a batch, in its order.

    `newest` are those of them that were given to the store, `kept` its answers.
    """
    # By identity: two equal records in one batch are stored once.
    given = {id(record) for record in newest}
    outcomes: list[Outcome] = []
    for record in read:
        if isinstance(record, Invalid):
            outcomes.append(Refused(record))
            continue
        answer = kept[record.external_id]
        stored = answer.changed and id(record) in given
        outcomes.append(Stored(answer.id) if stored else Unchanged(answer.id))
    return outcomes
