"""Whatever is done to a chain behind a signed checkpoint is found, and its place is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from kernel.pure.audit_chain import (
    GENESIS,
    PURPOSE,
    AuditEntry,
    Checkpoint,
    Fault,
    Link,
    chained,
    entry_of,
    first_fault,
    sign,
)
from kernel.pure.signing import Signer

SEED = 20261122
ROWS, SIGNED = 60, (20, 40, 60)
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
SIGNER = Signer(bytes(range(32)), PURPOSE)
STRANGER = Signer(bytes(32), PURPOSE)

Chain = tuple[list[Link], list[Checkpoint]]
# Changes a chain; answers the position that must be named.
Tamper = Callable[[list[Link], list[Checkpoint], Random], int]


def row(number: int) -> AuditEntry:
    return entry_of(
        NOON + timedelta(seconds=number), {"rows": number}, None, id=number, actor_kind="user",
        actor_id="somebody", action="update", object_type="customer", object_id=f"record {number}",
    )  # fmt: skip


def linked(entries: list[AuditEntry]) -> list[Link]:
    links: list[Link] = []
    for position, entry in enumerate(entries, 1):
        links.append(Link(position, entry, chained(links[-1].hash if links else GENESIS, entry)))
    return links


def chain() -> Chain:
    links = linked([row(number) for number in range(1, ROWS + 1)])
    return links, [sign(SIGNER, "sales", at, links[at - 1].hash, NOON) for at in SIGNED]


def fault(links: list[Link], checkpoints: list[Checkpoint]) -> Fault | None:
    return first_fault("sales", links, checkpoints, SIGNER.public)


def flip(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    at = chance.randrange(ROWS)
    field = chance.choice([field.name for field in dataclasses.fields(AuditEntry)])
    entry = dataclasses.replace(links[at].entry, **{field: getattr(links[at].entry, field) + "!"})
    links[at] = links[at]._replace(entry=entry)
    return at + 1


def flip_hash(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    at = chance.randrange(ROWS)
    bit = 1 << chance.randrange(256)
    altered = int.from_bytes(links[at].hash, "big") ^ bit
    links[at] = links[at]._replace(hash=altered.to_bytes(32, "big"))
    return at + 1


def delete(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    at = chance.randrange(ROWS)
    del links[at]
    return at + 1


def insert(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    """A row that never was, with a true hash; what follows moves on."""
    at = chance.randrange(ROWS)
    before = links[at - 1].hash if at else GENESIS
    added = Link(at + 1, row(ROWS + at), chained(before, row(ROWS + at)))
    links[at:] = [added, *(link._replace(position=link.position + 1) for link in links[at:])]
    return at + 2 if at + 1 not in SIGNED else at + 1


def swap(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    first, second = sorted(chance.sample(range(ROWS), 2))
    one, other = links[first], links[second]
    links[first], links[second] = one._replace(entry=other.entry), other._replace(entry=one.entry)
    return first + 1


def truncate(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    left = chance.randrange(ROWS)
    del links[left:]
    return left + 1


def rewrite(links: list[Link], _: list[Checkpoint], chance: Random) -> int:
    """Everything is hashed anew from a changed row on, as the owner of the database could."""
    at = chance.randrange(ROWS)
    entries = [link.entry for link in links]
    entries[at] = dataclasses.replace(entries[at], actor_id="somebody else")
    links[:] = linked(entries)
    return next(signed for signed in SIGNED if signed > at)


def forge(links: list[Link], checkpoints: list[Checkpoint], chance: Random) -> int:
    """As before, and the checkpoints are signed anew with another key."""
    first = rewrite(links, checkpoints, chance)
    checkpoints[:] = [sign(STRANGER, "sales", at, links[at - 1].hash, NOON) for at in SIGNED]
    return min(first, SIGNED[0])


TAMPERS: list[Tamper] = [flip, flip_hash, delete, insert, swap, truncate, rewrite, forge]


def test_an_untouched_chain_is_found_whole() -> None:
    assert fault(*chain()) is None


def test_rows_after_the_last_checkpoint_are_chained_too() -> None:
    links, checkpoints = chain()
    assert fault(links, checkpoints[:1]) is None
    altered = links[-1]._replace(entry=row(7))
    assert fault([*links[:-1], altered], checkpoints[:1]) == Fault(ROWS, "ALTERED")


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
def test_each_of_a_thousand_edits_is_found_at_its_place(tamper: Tamper) -> None:
    """A hundred and twenty-five of each of eight kinds."""
    missed = []
    for number in range(125):
        links, checkpoints = chain()
        wanted = tamper(links, checkpoints, Random(SEED + number))
        found = fault(links, checkpoints)
        if found is None or found.position != wanted:
            missed.append((number, wanted, found))
    assert not missed


def test_a_checkpoint_of_another_service_proves_nothing() -> None:
    links, _ = chain()
    borrowed = [sign(SIGNER, "customer", ROWS, links[-1].hash, NOON)]
    assert fault(links, borrowed) == Fault(ROWS, "CHECKPOINT_FORGED")


def test_a_part_is_walked_from_the_hash_before_it() -> None:
    links, checkpoints = chain()
    part = {"start": 31, "previous": links[29].hash}
    assert first_fault("sales", links[30:], checkpoints, SIGNER.public, **part) is None
    wrong = {"start": 31, "previous": links[28].hash}
    assert first_fault("sales", links[30:], checkpoints, SIGNER.public, **wrong) == Fault(31, "ALTERED")


def test_two_rows_never_hash_alike_by_moving_text_between_fields() -> None:
    one = dataclasses.replace(row(1), actor_id="ab", action="c")
    other = dataclasses.replace(row(1), actor_id="a", action="bc")
    assert chained(GENESIS, one) != chained(GENESIS, other)
