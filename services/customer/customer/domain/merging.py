"""Customers that are one: who is read through whom, and what the survivor shows (C-12).

A merge is a decision about two customers: one is read through the other from now on. Decisions
form a forest; every customer is read through the root of its tree. Nothing else moves: each keeps
its id, its values and its facts, so that a decision can be taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from customer.domain.errors import (
    AlreadyMerged,
    CustomerNotFound,
    KindsDiffer,
    NotMerged,
    SurvivorAbsorbed,
)
from kernel.pure.errors import Checks

MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Member:
    """A customer as merging sees it. `survivor_id` is the one it is read through, None for itself;
    `within_reach`: it is not deleted, and the caller may merge it."""

    id: UUID
    kind: str
    survivor_id: UUID | None
    within_reach: bool

    @property
    def root(self) -> UUID:
        return self.survivor_id or self.id


def check_request(survivor_id: UUID, absorbed_ids: Sequence[UUID]) -> None:
    """Raises Invalid unless 1 to 50 different customers are to be merged into another one."""
    checks = Checks()
    if not 1 <= len(absorbed_ids) <= MOST_AT_ONCE:
        checks.refuse(
            "absorbed_ids", "BATCH_SIZE", f"must hold 1 to {MOST_AT_ONCE}", f"必须有 1 到 {MOST_AT_ONCE} 项"
        )
    for index, absorbed_id in enumerate(absorbed_ids):
        if absorbed_id == survivor_id:
            checks.refuse(
                f"absorbed_ids[{index}]", "MERGED_INTO_ITSELF", "must not be the survivor", "不能是保留的客户"
            )
        elif absorbed_id in absorbed_ids[:index]:
            checks.refuse(f"absorbed_ids[{index}]", "REPEATED", "must stand here once", "不能重复")
    checks.raise_if_any()


def to_absorb(survivor_id: UUID, absorbed_ids: Sequence[UUID], known: Mapping[UUID, Member]) -> list[UUID]:
    """Those of `absorbed_ids` that the survivor takes in; the others are read through it already.

    Raises CustomerNotFound, SurvivorAbsorbed, KindsDiffer, or AlreadyMerged for one that was merged
    into somebody else.
    """
    survivor = _reached(survivor_id, known)
    if survivor.survivor_id is not None:
        raise SurvivorAbsorbed(id=survivor_id, survivor_id=survivor.survivor_id)
    # Whoever is read through one of these comes along with it.
    together = {survivor_id, *absorbed_ids}
    taken = []
    for absorbed_id in absorbed_ids:
        member = _reached(absorbed_id, known)
        if member.kind != survivor.kind:
            raise KindsDiffer(id=absorbed_id, survivor_id=survivor_id)
        if member.survivor_id is None:
            taken.append(absorbed_id)
        elif member.survivor_id not in together:
            raise AlreadyMerged(id=absorbed_id, survivor_id=member.survivor_id)
    return taken


def to_release(customer_id: UUID, known: Mapping[UUID, Member]) -> UUID:
    """The survivor out of which a customer is taken. Raises CustomerNotFound or NotMerged."""
    member = _reached(customer_id, known)
    if member.survivor_id is None:
        raise NotMerged(id=customer_id)
    return member.survivor_id


def _reached(customer_id: UUID, known: Mapping[UUID, Member]) -> Member:
    """A customer whom the caller may merge, and the one it is read through as well."""
    member = known.get(customer_id)
    if member is None or not member.within_reach or not known[member.root].within_reach:
        raise CustomerNotFound(id=customer_id)
    return member


def tree_of(customer_id: UUID, decisions: Mapping[UUID, UUID]) -> set[UUID]:
    """A customer and all who were merged into it, directly or through others.

    `decisions`: whom each absorbed customer was merged into.
    """
    tree = {customer_id}
    grown = True
    while grown:
        more = {absorbed for absorbed, into in decisions.items() if into in tree} - tree
        tree |= more
        grown = bool(more)
    return tree


def carried_along(taken: Collection[UUID], known: Iterable[Member]) -> set[UUID]:
    """Customers that are read through one of `taken`."""
    return {member.id for member in known if member.survivor_id in taken}


def composed(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a survivor shows of itself and of those it absorbed: `values` holds its own first, then
    theirs, oldest first.

    Of a text the first that is not empty, of a list all members, each once.
    """
    shown: dict[str, Any] = {}
    for one in values:
        for name, value in one.items():
            held = shown.get(name)
            if isinstance(value, list | tuple):
                shown[name] = [*(held or ()), *(member for member in value if member not in (held or ()))]
            else:
                shown[name] = held or value
    return shown
