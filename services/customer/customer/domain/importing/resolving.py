"""What becomes of new rows that look like customers we know (C-12, C-13): each is merged, listed or new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from customer.domain.customer import Company
from customer.domain.duplicates import Candidate, Pair, Party, compare
from customer.domain.matching import Match, contradict

# A new customer with the ids of those that it may be the same as: stored ones, and rows before it.
Suspect = tuple[Party, Collection[UUID]]


@dataclass
class Resolution:
    """`survivors`: into whom a row is merged, by the row's id. `pairs`: who has to be looked at. `best`: of
    each row that is or may be somebody known, whom it resembles most, and how."""

    survivors: dict[UUID, UUID] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    best: dict[UUID, tuple[Match, Candidate]] = field(default_factory=dict)


class Comparisons:
    """How likely two customers are the same; each pair is weighed once."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, UUID], Match] = {}

    def of(self, one: Party, other: Party) -> Match:
        match = self._known.get((one.id, other.id))
        if match is None:
            match = self._known[one.id, other.id] = compare(one, other)
        return match

    def sure_roots(self, rows: Iterable[Suspect], known: Mapping[UUID, Candidate]) -> set[UUID]:
        """Whom the stored customers are read through that a row is surely the same as: all members of
        their groups are asked before a row joins one."""
        return {
            known[other].root
            for row, others in rows
            for other in others
            if other in known and self.of(row, known[other].party).decision == "same"
        }


def resolve(
    rows: Sequence[Suspect],
    known: Mapping[UUID, Candidate],
    groups: Mapping[UUID, Sequence[Party]],
    comparisons: Comparisons,
    *,
    merge: bool,
) -> Resolution:
    """Decides about rows in the order of the file.

    `groups`: the members, by their root, of groups that a row is surely the same as. A row joins the
    group that fits best, unless it contradicts a member of it: a chain of resemblances is no person.
    """
    found = Resolution()
    standing = dict(known)
    members: dict[UUID, list[Party]] = {root: list(parties) for root, parties in groups.items()}
    best: dict[tuple[UUID, UUID], Match] = {}
    for row, others in rows:
        weighed = [
            (comparisons.of(row, standing[other].party), standing[other])
            for other in others
            if other in standing
        ]
        matches = [(match, other) for match, other in weighed if match.decision != "different"]
        matches.sort(key=lambda found: (-found[0].score, found[1].party.id))
        joined = _joined(row, matches, members) if merge else None
        root = joined or row.id
        members.setdefault(root, []).append(row)
        standing[row.id] = Candidate(row, root, within_reach=True, team_id=None)
        if joined is not None:
            found.survivors[row.id] = joined
        resembled = [(match, other) for match, other in matches if joined in (None, other.root)]
        if resembled:
            found.best[row.id] = resembled[0]
        for match, other in matches:
            pair = (min(root, other.root), max(root, other.root))
            if other.root != root and (pair not in best or best[pair].score < match.score):
                best[pair] = match
    found.pairs = [Pair(*pair, match.decision, match.score, match.reasons) for pair, match in best.items()]
    return found


def _joined(
    row: Party, matches: Sequence[tuple[Match, Candidate]], members: Mapping[UUID, Sequence[Party]]
) -> UUID | None:
    for match, other in matches:
        if match.decision == "same" and other.within_reach:
            group = members.get(other.root)
            if group and not any(_contradict(row, member) for member in group):
                return other.root
    return None


def _contradict(one: Party, other: Party) -> bool:
    if isinstance(one.profile.details, Company):
        return compare(one, other).decision == "different"
    return contradict(one.traits, other.traits)
