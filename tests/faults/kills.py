"""F1: random processes are shot while clients work; nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from crm_cli.local.layout import PROCESSES, SERVICES
from tests.faults import commands
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import Clients, Command, World, shuffled

KILLS = 50
COMMANDS = 10_000
CLIENTS = 8
_SERVERS = ("postgres-main", "rabbitmq")


def victims(random: Random, kills: int) -> list[str]:
    """Whom to shoot, in order: each server once, processes of ours and Envoy otherwise."""
    ours = [f"{service}.{process}" for service in SERVICES for process in PROCESSES] + ["envoy"]
    chosen = random.choices(ours, k=max(0, kills - len(_SERVERS)))
    return random.sample([*chosen, *_SERVERS], len(chosen) + len(_SERVERS))


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F1 {result.seed}"
    history, names = History(), victims(random, scale(KILLS))
    known = commands.customers(world.feeder.session(), source, 50, random)
    wanted = commands.commands(source, scale(COMMANDS), known, random)
    teams: list[Command] = [commands.team(source, number, random) for number in range(scale(200))]
    began = time.monotonic()
    feeding = Clients(world.feeder, shuffled(random, wanted), history, CLIENTS - 1)
    administering = Clients(world.admin, teams, history, 1)
    total = len(wanted) + len(teams)
    for number, victim in enumerate(names):
        # Shots are spread over the work, however fast it goes.
        _await_progress(history, total * number // len(names), lambda: feeding.busy)
        dead = world.behind.kill(victim)
        world.behind.await_restart(victim, dead)
    feeding.join()
    administering.join()
    result.figures["seconds of work"] = time.monotonic() - began
    world.settle()
    result.commands, result.kills = history.count(), len(names)
    for place, effects in commands.effects(world, source):
        result.found(place, check(history, effects))
    unanswered = history.keys("unknown")
    result.demand(not unanswered, f"{len(unanswered)} commands were never answered")
    dead_letters = world.behind.dead_letters()
    result.demand(not dead_letters, f"dead letters: {dead_letters}")


def _await_progress(history: History, answered: int, busy: Callable[[], bool]) -> None:
    while history.answered() < answered and busy():
        time.sleep(0.02)
