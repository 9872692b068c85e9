"""Negative controls: each takes one protection away, and the same checks must notice.

A control counts as detected when the law that the protection upholds was found broken, not any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.faults import campaigns, commands, erasures, kills, poison, standing
from tests.faults.clients import Clients
from tests.faults.history import History
from tests.faults.scenario import Result, Scale, Scenario
from tests.faults.world import World

_EVENTS = ("customer.events", "sales.events", "ticketing.events", "privacy.events", "marketing.events")
_VISITORS = 100


@dataclass(frozen=True)
class Control:
    """`damage` is done to `processes` while `probe` runs; `law` is what must be found broken."""

    name: str
    damage: str
    processes: Sequence[str]
    probe: Scenario
    law: str


def run(world: World, control: Control, seed: int) -> Result:
    """What was found broken while the damage was there; afterwards the installation is well again."""
    result = Result(control.name, seed)
    try:
        with world.planted(control.damage, control.processes):
            control.probe(world, Random(f"{control.name} {seed}"), Scale(), result)
    finally:
        world.ledger.throw_dead_away()
    return result


def repeated(world: World, random: Random, scale: Scale, result: Result) -> None:
    """Persons are erased, and every event about it arrives a second time."""
    erasures.erase_few(world, random, result, 3)
    told = [one for one in world.ledger.told() if one.name in ("ErasureOrdered", "SubjectErased")]
    world.ledger.tell_again(told)
    world.settle()
    result.take(standing.conservation(world))
    result.take(standing.effects_of_events(world, world.ledger.told()))


def shot_in_the_middle(world: World, random: Random, scale: Scale, result: Result) -> None:
    """A consumer is shot while its database keeps it waiting."""

    def harm() -> None:
        kills.shoot_in_the_middle(world)

    _visited(world, random, result, harm)


def frozen_broker(world: World, random: Random, scale: Scale, result: Result) -> None:
    """The broker takes nothing in for a while, and is shot."""

    def harm() -> None:
        world.freeze_broker()
        time.sleep(3)
        world.shoot_and_wait("rabbitmq")

    _visited(world, random, result, harm)


def _visited(world: World, random: Random, result: Result, harm: Callable[[], None]) -> None:
    """Visitors come while harm is done; every event must end somewhere."""
    world.begin()
    source, history = f"{result.id} {result.seed}", History()
    wanted = [commands.visitor(source, number, random) for number in range(_VISITORS)]
    working = Clients(world.feeder, wanted, history, 4, rate=30.0)
    time.sleep(0.5)
    harm()
    working.join()
    result.commands = history.count()
    world.settle()
    result.take(standing.conservation(world))


_ENDS = "an event ends somewhere"
CONTROLS = (
    Control("inbox off", "inbox off", _EVENTS, repeated, "an order to erase is carried out once"),
    Control("ack before commit", "ack before commit", ["sales.events"], shot_in_the_middle, _ENDS),
    Control("confirms off", "confirms off", ["customer.events"], frozen_broker, _ENDS),
    Control("plain nameko handler", "plain handler\nbug", ["customer.events"], poison.poisoned_only, _ENDS),
    Control(
        "permit check off", "permits off", ["marketing.jobs"], campaigns.unwilling,
        "nobody is written to without consent",
    ),
    Control(
        "permit check off seen afterwards", "permits off", ["marketing.jobs"], campaigns.unwilling,
        "privacy finds no message without consent",
    ),
)  # fmt: skip
