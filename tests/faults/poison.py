"""F5: events that their handler refuses become dead letters and delay nobody; once mended, they count."""

from __future__ import annotations

import time
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from kernel.bus.deadletters import replay
from tests.faults import commands, standing
from tests.faults.clients import Clients, Command
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import World

# As many come without poison first, in as long a time: the machine's own backlog is in both.
COMMANDS, POISON, BASELINE = 5_000, 100, 5_000
# Commands a second: what can be sustained, for a backlog would hide who delays whom.
CLIENTS, RATE = 8, 125.0
_PROCESS, _QUEUE, _HANDLER = "customer.events", "customer.OrdersRecorded", "customer.apply_orders"
# What the planted fault does not understand.
_AMOUNT = "6666.66"
# Seconds within which all poison must be a dead letter.
_SOON = 30.0
# Others may wait twice as long as without poison; below so many seconds nobody calls it a delay.
_TIMES, _NO_DELAY = 2.0, 0.25


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F5 {result.seed}"
    known = commands.customers(world.feeder.session(), source, 50, random)
    world.begin()
    with world.planted("bug", [_PROCESS]):
        _feed(world, f"{source} before", scale(BASELINE), known, random, History())
        world.behind.await_silence()
        baseline = lag(world, set())
        world.ledger.begin()
        history = History()
        poison = _poisoned(source, scale(COMMANDS), scale(POISON), known, random)
        Clients(world.feeder, poison, history, CLIENTS, rate=RATE).join()
        result.commands = history.count()
        _await_dead(world, scale(POISON), result)
        world.behind.await_silence()
        dead = {event for _, event in world.ledger.dead()}
        delayed = lag(world, dead)
        _judge_lag(baseline, delayed, result)
        result.take(standing.conservation(world))
    replayed = replay(world.behind.stack.server("rabbitmq").url, f"{_QUEUE}.dead")
    result.demand(replayed == scale(POISON), f"{replayed} dead letters were replayed")
    world.settle()
    for place, effects in commands.effects(world, source):
        wanted = {key: count for key, count in effects.items() if " before " not in key}
        result.found(place, check(history, type(effects)(wanted)))
    standing.examine(world, result)


def poisoned_only(world: World, random: Random, scale: Scale, result: Result) -> None:
    """A short version, for a handler that is damaged otherwise, too: nothing may vanish."""
    source = f"{result.id} {result.seed}"
    known = commands.customers(world.feeder.session(), source, 5, random)
    world.begin()
    history = History()
    count, poison = 100, 10
    Clients(world.feeder, _poisoned(source, count, poison, known, random), history, CLIENTS).join()
    result.commands = history.count()
    world.behind.await_silence()
    result.take(standing.conservation(world))


def lag(world: World, without: set[UUID]) -> list[float]:
    """Seconds from telling to effect, of each event of orders but `without`."""
    told = {one.id: one.at for one in world.ledger.told() if one.name == "OrdersRecorded"}
    query = "select event_id, handled_at from app.inbox where handler = %s and event_id = any(%s)"
    rows: list[tuple[Any, ...]] = world.behind.rows("customer", query, _HANDLER, list(told.keys() - without))
    handled: dict[UUID, datetime] = dict(rows)  # type: ignore[arg-type]
    return sorted((at - told[event]).total_seconds() for event, at in handled.items())


def _judge_lag(baseline: list[float], delayed: list[float], result: Result) -> None:
    before, after = percentile(baseline, 0.99), percentile(delayed, 0.99)
    result.figures["p99 without poison ms"] = round(before * 1000)
    result.figures["p99 with poison ms"] = round(after * 1000)
    limit = max(_TIMES * before, _NO_DELAY)
    result.demand(after <= limit, f"others waited {after:.3f} s (p99), {before:.3f} s without poison")


def percentile(values: list[float], share: float) -> float:
    """Of sorted values; 0 of none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _await_dead(world: World, wanted: int, result: Result) -> None:
    began = time.monotonic()
    while (count := sum(world.behind.dead_letters().values())) < wanted and time.monotonic() - began < _SOON:
        time.sleep(0.2)
    result.figures["seconds to the last dead letter"] = round(time.monotonic() - began, 1)
    result.demand(count == wanted, f"{count} dead letters instead of {wanted} within {_SOON:g} s")


def _feed(world: World, source: str, count: int, known: list[str], random: Random, history: History) -> None:
    wanted = [commands.order(source, number, known, random) for number in range(count)]
    Clients(world.feeder, wanted, history, CLIENTS, rate=RATE).join()


def _poisoned(source: str, count: int, poison: int, known: list[str], random: Random) -> list[Command]:
    """Orders, of which so many have the amount that is not understood."""
    wanted = [commands.order(source, number, known, random) for number in range(count)]
    for _, _, request in random.sample(wanted, poison):
        assert isinstance(request, BatchUpsertOrdersRequest)
        request.orders[0].total.amount = _AMOUNT
    return wanted
