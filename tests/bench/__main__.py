"""How fast it is, each figure beside its limit: `make bench`.

    python -m tests.bench [--only GROUP …] [--quick]

Groups: import, calls, lag, tiers. Each runs on private installations of its own, which end with it; nothing
leaves this machine. Figures are shown as a table and written to .local/bench.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import calls, figures, imports, lag, tiers
from tests.bench.figures import Figure
from tests.bench.world import World, world


@dataclass(frozen=True)
class Effort:
    """How much is done: enough to be believed, or enough to see what a change does."""

    people: int
    rounds: int
    seconds: float
    lag_seconds: float
    import_sizes: tuple[int, ...]


FULL = Effort(people=100_000, rounds=5, seconds=2.0, lag_seconds=20.0, import_sizes=(10_000, 200_000))
QUICK = Effort(people=10_000, rounds=3, seconds=1.0, lag_seconds=6.0, import_sizes=(10_000,))

# Groups that share an installation with people in it, in this order.
_IN_A_WORLD: dict[str, Callable[[World, Effort], list[Figure]]] = {
    "lag": lambda known, effort: lag.bench(known, effort.lag_seconds),
    "calls": lambda known, effort: calls.bench(known, effort.rounds, effort.seconds),
    "tiers": lambda known, effort: tiers.bench(known),
}
GROUPS = ("import", *_IN_A_WORLD)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=GROUPS, metavar="GROUP")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    found: list[Figure] = []
    if "import" in arguments.only:
        found += imports.bench(effort.import_sizes)
    wanted = [name for name in _IN_A_WORLD if name in arguments.only]
    if wanted:
        with world(effort.people) as known:
            for name in wanted:
                found += _IN_A_WORLD[name](known, effort)
    figures.save(found)
    figures.show(found)


if __name__ == "__main__":
    main()
