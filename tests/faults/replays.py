"""F7: every command arrives five times at once; it has one effect, and all five get the same answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random

from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm_cli.client import Refused
from tests.faults import commands
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import Clients, World

COMMANDS = 2_000
TIMES = 5
CLIENTS = 10


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F7 {result.seed}"
    known = commands.customers(world.feeder.session(), source, 20, random)
    wanted = commands.commands(source, scale(COMMANDS), known, random)
    history = History()
    # Neighbours in the list are taken at the same time by different clients.
    Clients(world.feeder, [one for one in wanted for _ in range(TIMES)], history, CLIENTS).join()
    world.settle()
    result.commands = history.count()
    for place, effects in commands.effects(world, source):
        result.found(place, check(history, effects))
    answers: dict[str, set[bytes]] = defaultdict(set)
    for operation in history.operations:
        answers[operation.key].add(operation.answer)
    differing = [key for key, given in answers.items() if len(given) > 1]
    result.demand(not differing, f"{len(differing)} commands were answered differently, as {differing[:3]}")
    _refuse_other_bodies(world, random, result)


def _refuse_other_bodies(world: World, random: Random, result: Result) -> None:
    """The same request id with another body is another wish under a used name."""
    session, outcomes = world.feeder.session(), Counter[str]()
    for number in range(20):
        _, method, request = commands.visitor(f"F7 {result.seed} first", number, random)
        session.call(method(session), request)
        other = CreateCustomerRequest()
        other.CopyFrom(request)
        other.customer.tags.append("other")
        try:
            session.call(method(session), other)
        except Refused as refused:
            outcomes[refused.reason] += 1
        else:
            outcomes["accepted"] += 1
    result.demand(outcomes == {"REQUEST_ID_REUSED": 20}, f"changed bodies were answered {dict(outcomes)}")
