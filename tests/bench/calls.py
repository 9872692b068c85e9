"""Calls through the gateway, beside an echo that does nothing of what the gateway and the services do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.asking import works
from tests.bench.client import Client, Outcome, Work, client
from tests.bench.echo import BODY, METHOD, echo
from tests.bench.figures import Figure
from tests.bench.meter import Meter
from tests.bench.world import CALLERS, World

# Clients at once.
LEVELS = (1, 8, CALLERS)
_BARE, _EDGE = "echo", "echo_edge"
# More than all rounds can create in a second.
_CREATIONS_A_SECOND = 1500
_WARM_UP = 0.5
# The share of calls that may fail: a newcomer may happen to be somebody known.
_FAILING = 0.02


@dataclass(frozen=True)
class Run:
    outcome: Outcome
    # Microseconds of CPU a call, by part.
    cpu: Mapping[str, float]


def bench(world: World, rounds: int, seconds: float, levels: Sequence[int] = LEVELS) -> list[Figure]:
    """Interleaved, so that all have the same of whatever else the machine does; medians of the rounds."""
    creations = int(rounds * seconds * len(levels) * _CREATIONS_A_SECOND)
    asked = works(world, creations)
    with echo(world.info) as server, client() as caller:
        edge = Work(world.address, METHOD, [[BODY]], world.ca)
        asked = {_BARE: Work(server.address, METHOD, [[BODY]]), _EDGE: edge, **asked}
        caller.know(asked)
        meter = Meter(world.info, client=caller.pid, echo=server.pid)
        for name in asked:
            caller.run(name, max(levels), _WARM_UP, _tokens(world, name))
        figures = []
        for level in levels:
            runs: dict[str, list[Run]] = {name: [] for name in asked}
            for _ in range(rounds):
                for name in asked:
                    runs[name].append(_run(world, caller, meter, name, level, seconds))
            figures += _figures(level, runs)
    return figures


def _run(world: World, caller: Client, meter: Meter, name: str, level: int, seconds: float) -> Run:
    seen: list[Outcome] = []
    used = meter.during(lambda: seen.append(caller.run(name, level, seconds, _tokens(world, name))))
    [outcome] = seen
    failed = sum(outcome.failures.values())
    if failed > _FAILING * outcome.calls:
        raise RuntimeError(f"{name}: {failed} of {failed + outcome.calls} calls failed: {outcome.failures}")
    return Run(outcome, {part: cpu / outcome.calls * 1e6 for part, cpu in used.items()})


def _tokens(world: World, name: str) -> list[str]:
    return [] if name == _BARE else world.tokens()


def _figures(level: int, runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    rates = {name: median(run.outcome.rate for run in of) for name, of in runs.items()}
    p50 = {name: median(run.outcome.p50 for run in of) for name, of in runs.items()}
    p99 = {name: median(run.outcome.p99 for run in of) for name, of in runs.items()}
    cpu = {name: median(sum(run.cpu.values()) for run in of) for name, of in runs.items()}
    figures = [
        Figure(f"{_BARE}_{level}", rates[_BARE], "calls/s"),
        Figure(f"{_BARE}_{level}_p50", p50[_BARE], "ms"),
        Figure(f"{_BARE}_{level}_p99", p99[_BARE], "ms"),
    ]
    limit, edge = f"{_BARE}_{level}", f"{_EDGE}_{level}"
    for name, of in runs.items():
        if name == _BARE:
            continue
        own = f"{name}_{level}"
        figures += [
            Figure(own, rates[name], "calls/s", limit, rates[_BARE]),
            Figure(f"{own}_p50", p50[name], "ms", f"{limit}_p50", p50[_BARE]),
            Figure(f"{own}_p99", p99[name], "ms", f"{limit}_p99", p99[_BARE]),
            Figure(f"{own}_cpu", cpu[name], "µs a call", f"{limit}_cpu", cpu[_BARE]),
        ]
        if name != _EDGE:
            figures.append(Figure(f"{own}_of_edge", rates[name], "calls/s", edge, rates[_EDGE]))
        figures += [
            Figure(f"{own}_cpu_{part}", median(run.cpu[part] for run in of), "µs a call")
            for part in of[0].cpu
            if part != _BARE or name == _EDGE
        ]
    return figures
