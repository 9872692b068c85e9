"""From pairs to people: whoever was found the same, directly or through others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import product
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)


def clusters(
    pairs: Iterable[tuple[Id, Id, float]], different: Callable[[Id, Id], bool]
) -> list[frozenset[Id]]:
    """Groups of two or more ids that are one person each.

    `pairs` were found the same, with their scores; the surest join first. `different(a, b)` says
    whether two people disagree; two groups with any such pair between them stay two, so that a
    chain of resemblances (father, son of the same name, his twin) is not one person.
    """
    home: dict[Id, set[Id]] = {}
    for a, b, _ in sorted(pairs, key=lambda pair: -pair[2]):
        one, other = home.setdefault(a, {a}), home.setdefault(b, {b})
        if one is other or any(different(x, y) for x, y in product(one, other) if (x, y) != (a, b)):
            continue
        one |= other
        for member in other:
            home[member] = one
    found = {id(group): frozenset(group) for group in home.values() if len(group) > 1}
    return list(found.values())
