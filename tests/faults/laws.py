"""What must hold whatever happened, as questions to plain data: each answers with what breaks it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Breach:
    """A law that does not hold: how many cases, and some of them."""

    law: str
    kind: str  # lost, twice, or other
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.law}: {self.count} {self.kind}, as {', '.join(self.examples)}"


def breach(law: str, kind: str, cases: Collection[Any]) -> list[Breach]:
    """None when there are no cases."""
    some = tuple(sorted(map(str, cases))[:3])
    return [Breach(law, kind, len(cases), some)] if cases else []


def conserved(
    told: Mapping[Hashable, Collection[str]],
    taken: Counter[tuple[str, Any]],
    dead: Counter[tuple[str, Any]],
) -> list[Breach]:
    """Every event told (id: handlers that hear it) ended, for each handler, in exactly one place: it took
    effect, or is a dead letter. Nothing may be under way."""
    wanted = {(handler, event) for event, handlers in told.items() for handler in handlers}
    return [
        *breach(
            "an event ends somewhere", "lost", {one for one in wanted if not taken[one] and not dead[one]}
        ),
        *breach("an event ends in one place", "twice", {one for one in wanted if taken[one] + dead[one] > 1}),
    ]


def once_each(law: str, wished: Collection[Any], done: Counter[Any]) -> list[Breach]:
    """Each wish was fulfilled exactly once; nothing else was done."""
    return [
        *breach(law, "lost", {one for one in wished if not done[one]}),
        *breach(law, "twice", {one for one, count in done.items() if count > 1}),
        *breach(law, "unexpected", {one for one in done if done[one] and one not in set(wished)}),
    ]


def same(law: str, owner: Mapping[Any, Any], copy: Mapping[Any, Any]) -> list[Breach]:
    """A projection says of each key what its owner says."""
    return [
        *breach(law, "lost", owner.keys() - copy.keys()),
        *breach(law, "unexpected", copy.keys() - owner.keys()),
        *breach(law, "different", {key for key in owner.keys() & copy.keys() if owner[key] != copy[key]}),
    ]


def gapless(law: str, versions: Iterable[tuple[Any, int]]) -> list[Breach]:
    """The versions of each key are 1, 2, 3 …, each once."""
    found: dict[Any, list[int]] = defaultdict(list)
    for key, version in versions:
        found[key].append(version)
    torn = {key for key, all in found.items() if sorted(all) != list(range(1, len(all) + 1))}
    return breach(law, "torn", torn)


def young(
    stays: Iterable[tuple[Any, datetime, datetime]],
    outages: Collection[tuple[datetime, datetime]],
    limit: timedelta,
) -> list[Breach]:
    """Nothing waited (key, from, to) longer than `limit`, not counting the time of `outages`."""

    def waited(begin: datetime, end: datetime) -> timedelta:
        moment, total = begin, timedelta()
        for start, stop in sorted(outages):
            if stop > moment and start < end:
                total += max(timedelta(), min(start, end) - moment)
                moment = max(moment, stop)
        return total + max(timedelta(), end - moment)

    late = {key for key, begin, end in stays if waited(begin, end) > limit}
    return breach("an event leaves the outbox in time", "late", late)


def sums(law: str, audience: int, states: Mapping[str, int]) -> list[Breach]:
    """The states of all recipients add up to the audience, and none is still open."""
    wrong = [] if sum(states.values()) == audience else [f"{dict(states)} of {audience}"]
    open = [state for state in ("waiting", "attempted") if states.get(state)]
    return [*breach(law, "wrong", wrong), *breach(law, "open", open)]


def permitted(
    sent: Mapping[str, datetime],
    consented: Collection[str],
    withdrawn: Mapping[str, datetime],
    grace: timedelta,
) -> list[Breach]:
    """Mails (recipient: when) went to who had consented, and to none who had withdrawn `grace` before."""
    without = {one for one in sent if one not in set(consented)}
    late = {one for one, at in sent.items() if one in withdrawn and at > withdrawn[one] + grace}
    return [
        *breach("nobody is written to without consent", "sent", without),
        *breach("nobody is written to after withdrawing", "sent", late),
    ]
