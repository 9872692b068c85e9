"""F1: random processes are shot while clients work; nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import psycopg

from tests.faults import commands, mails, standing
from tests.faults.clients import Clients, Command, resolve, shuffled
from tests.faults.history import History, check
from tests.faults.mails import Writer
from tests.faults.scenario import Result, Scale
from tests.faults.world import PROCESSES, World
from tests.system.behind import until

KILLS = 50
COMMANDS = 10_000
CLIENTS = 8
TEAMS, WORDS, MAILS, AGAIN = 200, 400, 150, 300
# Of the commands, those sent once only.
_IMPATIENT = 0.1
_SERVERS = ("postgres-main", "rabbitmq")
# Seconds the broker takes nothing in before it is shot: what was not confirmed is not there.
_FROZEN = 1.0
_BLOCKED = """
    select count(*) from pg_stat_activity where datname = 'sales' and wait_event_type = 'Lock'
"""


def victims(random: Random, kills: int) -> list[str]:
    """Whom to shoot, in order: processes of ours and Envoy, one of them "waiting" in the middle of its work;
    PostgreSQL and the broker once each, besides."""
    ours = [*PROCESSES, "envoy"]
    # Every process when there are enough shots, then any.
    chosen = random.sample(ours, min(len(ours), kills - 1)) if kills > 1 else []
    chosen += random.choices(ours, k=kills - 1 - len(chosen))
    return random.sample([*chosen, "waiting", *_SERVERS], kills + len(_SERVERS))


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F1 {result.seed}"
    history, names, since = History(), victims(random, scale(KILLS)), datetime.now(UTC)
    known = commands.customers(world.feeder.session(), source, 50, random)
    world.begin()
    rest = scale(COMMANDS) - sum(map(scale, (TEAMS, WORDS, MAILS)))
    fed = shuffled(random, commands.commands(source, rest, known, random))
    of_admin: list[Command] = [commands.team(source, number, random) for number in range(scale(TEAMS))]
    of_admin += [commands.word(source, number, known, random) for number in range(scale(WORDS))]
    cut = round(len(fed) * _IMPATIENT)
    began = time.monotonic()
    working = [
        Clients(world.feeder, fed[cut:], history, CLIENTS - 3),
        Clients(world.feeder, fed[:cut], history, 1, patient=False),
        Clients(world.admin, shuffled(random, of_admin), history, 1),
        Writer(world, source, scale(MAILS), history),
    ]
    total = len(fed) + len(of_admin) + scale(MAILS)
    for number, victim in enumerate(names):
        # Shots are spread over the work, however fast it goes.
        _await_progress(history, total * number // len(names), lambda: any(one.busy for one in working))
        shoot(world, victim)
    for one in working:
        one.join()
    result.figures["seconds of work"] = round(time.monotonic() - began, 1)
    world.settle()
    result.figures["unknown"] = resolve(world.feeder, fed, history)
    until("all mails are read", lambda: mails.unread(world) == 0)
    world.settle()
    tell_again(world, random, scale(AGAIN))
    result.commands, result.kills = history.count(), len(names)
    _judge(world, source, history, since, result)


def shoot(world: World, victim: str) -> None:
    """One shot. Servers are back before the next one; our own processes are the supervisor's business."""
    if victim == "waiting":
        shoot_in_the_middle(world)
    elif victim == "rabbitmq":
        world.freeze_broker()
        time.sleep(_FROZEN)
        world.shoot_and_wait(victim)
    elif victim in _SERVERS:
        world.shoot_and_wait(victim)
    else:
        world.shoot(victim)


def shoot_in_the_middle(world: World) -> None:
    """Shoots the consumer of sales while its database keeps it waiting: its events are in its hands."""
    with psycopg.connect(world.behind.url("sales")) as connection:
        connection.execute("lock table app.customers in exclusive mode")
        deadline = time.monotonic() + 10
        while world.behind.rows("sales", _BLOCKED) == [(0,)] and time.monotonic() < deadline:
            time.sleep(0.05)
        world.shoot("sales.events")


def tell_again(world: World, random: Random, count: int) -> None:
    """Events arrive a second time, and nothing more comes of it."""
    told = world.ledger.told()
    world.ledger.tell_again(random.sample(told, min(count, len(told))))
    world.settle()


def _judge(world: World, source: str, history: History, since: datetime, result: Result) -> None:
    for place, effects in commands.effects(world, source):
        kinds = ("visitor", "order", "team") if place == "projections" else commands.KINDS
        result.found(place, check(history.of(source, kinds), effects))
    result.take(mails.one_ticket_each(world, source, history, since))
    unanswered = history.keys("unknown") - history.keys("ok")
    result.demand(not unanswered, f"{len(unanswered)} commands were never answered")
    refused = history.keys("refused")
    result.demand(not refused, f"{len(refused)} commands were refused, as {sorted(refused)[:3]}")
    dead_letters = world.behind.dead_letters()
    result.demand(not dead_letters, f"dead letters: {dead_letters}")
    standing.examine(world, result)


def _await_progress(history: History, ended: int, busy: Callable[[], bool]) -> None:
    while history.ended() < ended and busy():
        time.sleep(0.02)
