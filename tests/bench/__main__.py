"""How fast it is, each figure beside its limit: `make bench`.

    python -m tests.bench [--only GROUP …] [--quick]

Groups: import, export, lag, calls, tiers. They run on private installations, which end with them; nothing
leaves this machine. Figures are written to .local/bench.json after each group, beside those of other groups
that are there already, and shown as a table at the end.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import calls, exports, figures, imports, lag, tiers
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
    import_rounds: int
    export_size: int


FULL = Effort(
    people=100_000,
    rounds=5,
    seconds=2.0,
    lag_seconds=20.0,
    import_sizes=(10_000, 200_000),
    import_rounds=3,
    export_size=200_000,
)
QUICK = Effort(
    people=10_000,
    rounds=3,
    seconds=1.0,
    lag_seconds=6.0,
    import_sizes=(10_000,),
    import_rounds=1,
    export_size=10_000,
)

# Groups with installations of their own.
_ALONE: dict[str, Callable[[Effort], list[Figure]]] = {
    "import": lambda effort: imports.bench(effort.import_sizes, effort.import_rounds),
    "export": lambda effort: exports.bench(effort.export_size),
}

# Groups that share an installation with people in it, in this order.
_IN_A_WORLD: dict[str, Callable[[World, Effort], list[Figure]]] = {
    "lag": lambda known, effort: lag.bench(known, effort.lag_seconds),
    "calls": lambda known, effort: calls.bench(known, effort.rounds, effort.seconds),
    "tiers": lambda known, effort: tiers.bench(known),
}
GROUPS = (*_ALONE, *_IN_A_WORLD)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=GROUPS, metavar="GROUP")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    found: list[Figure] = []

    def keep(group: list[Figure]) -> None:
        figures.save(group)
        found.extend(group)

    for name, alone in _ALONE.items():
        if name in arguments.only:
            keep(alone(effort))
    wanted = [name for name in _IN_A_WORLD if name in arguments.only]
    if wanted:
        with world(effort.people) as known:
            for name in wanted:
                keep(_IN_A_WORLD[name](known, effort))
    figures.show(found)


if __name__ == "__main__":
    main()
