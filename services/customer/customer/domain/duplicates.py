"""Customers that may be one: compared, weighed, and what is done about it (C-12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple
from uuid import UUID

from customer.domain.customer import Company, Profile
from customer.domain.identity import match_keys, subject_of
from customer.domain.matching import Decision, Match, Reason, Traits, clusters, contradict, score, traits
from kernel.pure.grants import Principal
from kernel.pure.text.folding import fold

# A key that more customers share tells nothing: the number of a switchboard, a placeholder.
LARGEST_BLOCK = 100
MOST_SHOWN = 20

_SAME_CODE = Reason("credit_code", "exact", 16.0)
_OTHER_CODE = Reason("credit_code", "disagree", -16.0)
_SAME_NAME = Reason("name", "exact", 10.0)
_SAME_CONTACT = Reason("contact", "exact", 5.0)
# As for people: the same from here on.
_SAME = 13.5


class Party:
    """A customer as it is compared: its profile, and its reading once it was needed."""

    __slots__ = ("_traits", "id", "profile")

    def __init__(self, id: UUID, profile: Profile, known: Traits | None = None) -> None:
        self.id = id
        self.profile = profile
        self._traits = known

    @property
    def traits(self) -> Traits:
        """Of a person. Raises TypeError for a company."""
        if self._traits is None:
            self._traits = traits(subject_of(self.profile))
        return self._traits


@dataclass(frozen=True)
class Candidate:
    """A customer that is stored. `root` is the one it is read through; that one decides whether it is
    within the caller's reach, and whose `team_id` it has."""

    party: Party
    root: UUID
    within_reach: bool
    team_id: UUID | None


@dataclass(frozen=True)
class Hit:
    """A known customer that may be the one asked about. `match.decision` is "same" or "possible"."""

    customer_id: UUID
    match: Match
    within_reach: bool
    team_id: UUID | None


class Pair(NamedTuple):
    """Two customers that may be one; the older first."""

    first_id: UUID
    second_id: UUID
    decision: Decision
    score: float
    reasons: tuple[Reason, ...]


@dataclass
class Scan:
    """A look at all customers that `principal` may merge. `state` is waiting, running, done or failed;
    `after_id` the last customer looked at."""

    id: UUID
    principal: Principal
    merge: bool
    state: str = "waiting"
    after_id: UUID | None = None
    customers_seen: int = 0
    customers_total: int = 0
    pairs_same: int = 0
    pairs_possible: int = 0
    merged: int = 0


class Blocks:
    """Customers that are about to be recorded together, by what another one may share with them."""

    def __init__(self) -> None:
        self._blocks: dict[str, list[Party]] = {}

    def add(self, party: Party) -> None:
        for key in keys_of(party):
            self._blocks.setdefault(key, []).append(party)

    def meeting(self, party: Party) -> list[Candidate]:
        """Those of its kind to compare a customer with, each once."""
        met = {
            other.id: other
            for key in keys_of(party)
            if len(block := self._blocks.get(key, ())) <= LARGEST_BLOCK
            for other in block
            if other.profile.kind == party.profile.kind
        }
        return [Candidate(other, other.id, within_reach=True, team_id=None) for other in met.values()]


def keys_of(party: Party) -> tuple[str, ...]:
    """The keys under which a customer meets others that may be the same."""
    company = isinstance(party.profile.details, Company)
    return match_keys(party.profile, None if company else party.traits)


def compare(one: Party, other: Party) -> Match:
    """How likely two customers of one kind are the same, and why."""
    if isinstance(one.profile.details, Company) and isinstance(other.profile.details, Company):
        return _companies(one.profile.details, other.profile.details)
    return score(one.traits, other.traits)


def hits(asked: Party, candidates: Iterable[Candidate]) -> list[Hit]:
    """The known customers that may be the one asked about, best first, each once."""
    best: dict[UUID, Hit] = {}
    for candidate in candidates:
        match = compare(asked, candidate.party)
        held = best.get(candidate.root)
        if match.decision != "different" and (held is None or held.match.score < match.score):
            best[candidate.root] = Hit(candidate.root, match, candidate.within_reach, candidate.team_id)
    return sorted(best.values(), key=lambda hit: (-hit.match.score, hit.customer_id))


def pairs_of(couples: Iterable[tuple[Candidate, Candidate]]) -> list[Pair]:
    """The pairs of survivors that may be one, by the best that any two of their members agree."""
    best: dict[tuple[UUID, UUID], Match] = {}
    for one, other in couples:
        if one.root == other.root or one.party.profile.kind != other.party.profile.kind:
            continue
        match = compare(one.party, other.party)
        roots = (min(one.root, other.root), max(one.root, other.root))
        if match.decision != "different" and (roots not in best or best[roots].score < match.score):
            best[roots] = match
    return [Pair(*roots, match.decision, match.score, match.reasons) for roots, match in sorted(best.items())]


def chains(pairs: Iterable[tuple[UUID, UUID, float]]) -> list[list[tuple[UUID, UUID, float]]]:
    """Pairs gathered so that no customer stands in two gatherings."""
    home: dict[UUID, list[tuple[UUID, UUID, float]]] = {}
    for pair in pairs:
        one, other = home.setdefault(pair[0], []), home.setdefault(pair[1], [])
        if one is not other:
            larger, smaller = (one, other) if len(one) >= len(other) else (other, one)
            larger += smaller
            for first, second, _ in smaller:
                home[first] = home[second] = larger
            one = larger
        home[pair[0]] = home[pair[1]] = one
        one.append(pair)
    return list({id(gathered): gathered for gathered in home.values()}.values())


def groups_to_merge(
    pairs: Iterable[tuple[UUID, UUID, float]], members: Callable[[UUID], Sequence[Party]]
) -> list[tuple[UUID, list[UUID]]]:
    """Survivors, the oldest of their groups, and those to be merged into each.

    `pairs` are surely the same; `members(id)` are those read through a customer and itself. Whoever
    disagrees with one member joins no group: a chain of resemblances is no person.
    """

    def different(one: UUID, other: UUID) -> bool:
        return any(_contradict(x, y) for x, y in product(members(one), members(other)))

    groups = [sorted(group) for group in clusters(pairs, different)]
    return [(group[0], group[1:]) for group in sorted(groups)]


def _contradict(one: Party, other: Party) -> bool:
    if isinstance(one.profile.details, Company):
        return compare(one, other).decision == "different"
    return contradict(one.traits, other.traits)


def _companies(one: Company, other: Company) -> Match:
    """The registry's code decides; else the name with a phone or mail box; the name alone may be."""
    reasons = []
    if one.credit_code and other.credit_code:
        reasons.append(_SAME_CODE if one.credit_code == other.credit_code else _OTHER_CODE)
    if one.name and _plain(one.name) == _plain(other.name):
        reasons.append(_SAME_NAME)
    if {*one.phones, *one.emails} & {*other.phones, *other.emails}:
        reasons.append(_SAME_CONTACT)
    total = sum(reason.weight for reason in reasons)
    decision: Decision = (
        "same" if total >= _SAME else "possible" if total >= _SAME_NAME.weight else "different"
    )
    return Match(total, decision, tuple(reasons))


def _plain(name: str) -> str:
    return "".join(fold(name).split())
