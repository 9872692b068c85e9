"""F6: every service is replaced twice while it is called; no caller notices."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import psutil

from crm.customer.v1.customer_service_pb2 import GetCustomerRequest
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.marketing.v1.campaign_service_pb2 import ListFrequencyCapsRequest
from crm.privacy.v1.consent_service_pb2 import GetConsentsRequest
from crm.sales.v1.order_service_pb2 import ListOrdersRequest
from crm.ticketing.v1.ticket_pb2 import Ticket
from crm.ticketing.v1.ticket_service_pb2 import CreateTicketRequest, ListTicketsRequest
from crm_cli.local.layout import SERVICES, process_names
from tests.faults import commands, standing
from tests.faults.clients import Clients, Command
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import World
from tests.system.behind import PATIENCE, until

ROUNDS = 2
RATE = 50.0  # calls a second, of which half change something
CLIENTS = 4
DRAIN = 25.0  # seconds in which who was asked to go must have gone


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F6 {result.seed}"
    known = commands.customers(world.feeder.session(), source, 20, random)
    world.begin()
    stop = threading.Event()
    written, read = History(), History()
    calling = [
        Clients(
            world.admin, _until(stop, _commands(source, known, random)), written, CLIENTS,
            patient=False, rate=RATE / 2,
        ),
        Clients(
            world.admin, _until(stop, _questions(source, known)), read, CLIENTS, patient=False, rate=RATE / 2
        ),
    ]  # fmt: skip
    drains: dict[str, float] = {}
    try:
        for _ in range(ROUNDS if scale.of >= 1 else 1):
            for service in SERVICES:
                drains |= roll(world, service)
                result.kills += len(process_names(service))
    finally:
        stop.set()
        for one in calling:
            one.join()
    result.commands = written.count() + read.count()
    result.figures["longest drain s"] = round(max(drains.values()), 1)
    slow = {name: seconds for name, seconds in drains.items() if seconds > DRAIN}
    result.demand(not slow, f"took longer than {DRAIN:g} s to go: {slow}")
    for sentence, count in sum((one.errors for one in calling), calling[0].errors.__class__()).most_common(5):
        result.wrong.append(f"{count} failed: {sentence}")
    world.settle()
    for place, effects in commands.effects(world, source):
        kinds = ("visitor", "order", "team") if place == "projections" else None
        history = written.of(source, kinds or ("visitor", "order", "team", "talk", "word"))
        result.found(place, check(history, effects))
    standing.examine(world, result)


def roll(world: World, service: str) -> dict[str, float]:
    """Replaces the processes of a service; answers how many seconds each took to go after it was asked to."""
    names = [f"{service}.{process}" for process in process_names(service)]
    folder = world.folder / "rolled"
    folder.mkdir(exist_ok=True)
    old = {
        name: until(f"{name} runs", lambda name=name: world.behind.stack.process(name).pid) for name in names
    }
    drained: dict[str, float] = {}
    asked: dict[str, float] = {}
    for name in names:
        (folder / name).touch()
    deadline = time.monotonic() + PATIENCE
    while len(drained) < len(names):
        assert time.monotonic() < deadline, f"not replaced: {set(names) - drained.keys()}"
        stack = world.behind.stack
        for name in names:
            if name not in asked and stack.process(name).pid != old[name]:
                asked[name] = time.monotonic()
            if name not in drained and not psutil.pid_exists(old[name]):
                drained[name] = time.monotonic() - asked.get(name, time.monotonic())
        time.sleep(0.05)
    for name in names:
        until(f"{name} is replaced", lambda name=name: not (folder / name).exists())
        until(f"{name} is ready", lambda name=name: world.behind._ready(name))
    return drained


def _until(stop: threading.Event, endless: Iterator[Command]) -> Iterator[Command]:
    return itertools.takewhile(lambda _: not stop.is_set(), endless)


def _commands(source: str, known: list[str], random: Random) -> Iterator[Command]:
    """One to each service that has some, over and over."""
    for number in itertools.count():
        yield commands.visitor(source, number, random)
        yield commands.order(source, number, known, random)
        yield commands.talk(source, number, known, random)
        yield commands.word(source, number, known, random)
        yield _ticket(source, number, known, random)
        if number % 10 == 0:
            yield commands.team(source, number, random)


def _ticket(source: str, number: int, known: list[str], random: Random) -> Command:
    """A concern; several of one customer join one ticket, so its effect is not counted by key."""
    ticket = Ticket(customer_id=random.choice(known), subject="发票", channel="phone")
    request = CreateTicketRequest(ticket=ticket, content="发票抬头", request_id=commands.request_id(random))
    return f"{source} ticket {number}", lambda session: session.tickets.CreateTicket, request


def _questions(source: str, known: list[str]) -> Iterator[Command]:
    kinds: list[tuple[Callable[[Any], Any], Callable[[str], Any]]] = [
        (lambda session: session.customers.GetCustomer, lambda one: GetCustomerRequest(id=one)),
        (lambda session: session.orders.ListOrders, lambda one: ListOrdersRequest(customer_id=one)),
        (lambda session: session.tickets.ListTickets, lambda one: ListTicketsRequest(customer_id=one)),
        (lambda session: session.campaigns.ListFrequencyCaps, lambda one: ListFrequencyCapsRequest()),
        (lambda session: session.consents.GetConsents, lambda one: GetConsentsRequest(subject_id=one)),
        (lambda session: session.auth.GetSelf, lambda one: GetSelfRequest()),
    ]
    for number in itertools.count():
        method, request = kinds[number % len(kinds)]
        yield f"{source} question {number}", method, request(known[number % len(known)])
