"""F7: every command arrives five times at once; it has one effect, and all five get the same answer."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm.customer.v1.timeline_service_pb2 import RecordInteractionRequest
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from tests.faults import commands, standing
from tests.faults.clients import Clients, Command
from tests.faults.history import History, check
from tests.faults.scenario import Result, Scale
from tests.faults.world import World

COMMANDS = 2_000
TIMES = 5
CLIENTS = 10


def run(world: World, random: Random, scale: Scale, result: Result) -> None:
    source = f"F7 {result.seed}"
    known = commands.customers(world.feeder.session(), source, 20, random)
    world.begin()
    wanted = commands.commands(source, scale(COMMANDS), known, random)
    history = History()
    # Neighbours in the list are taken at the same time by different clients.
    Clients(world.feeder, [one for one in wanted for _ in range(TIMES)], history, CLIENTS).join()
    world.settle()
    result.commands = history.count()
    for place, effects in commands.effects(world, source):
        kinds = ("visitor", "order") if place == "projections" else None
        result.found(place, check(history.of(source, kinds) if kinds else history, effects))
    answers: dict[str, set[bytes]] = defaultdict(set)
    for operation in history.operations:
        answers[operation.key].add(operation.answer)
    differing = [key for key, given in answers.items() if len(given) > 1]
    result.demand(not differing, f"{len(differing)} commands were answered differently, as {differing[:3]}")
    _refuse_other_bodies(world, wanted, result)
    standing.examine(world, result)


def _refuse_other_bodies(world: World, wanted: list[Command], result: Result) -> None:
    """The same request id with another body is another wish under a used name."""
    changed = [(key, method, _other(request)) for key, method, request in wanted]
    sending = Clients(world.feeder, changed, history := History(), CLIENTS)
    sending.join()
    accepted = history.keys("ok")
    result.demand(not accepted, f"{len(accepted)} changed bodies were accepted, as {sorted(accepted)[:3]}")
    reused = sum(count for sentence, count in sending.errors.items() if "REQUEST_ID_REUSED" in sentence)
    result.demand(reused == len(changed), f"{reused} of {len(changed)} changed bodies were refused as such")
    result.figures["changed bodies refused"] = reused


def _other(request: Any) -> Any:
    """The same command with another content."""
    other = type(request)()
    other.CopyFrom(request)
    match other:
        case CreateCustomerRequest():
            other.customer.tags.append("other")
        case RecordInteractionRequest():
            other.interaction.content = "别的"
        case BatchUpsertOrdersRequest():
            other.orders[0].total.amount = "0.01"
        case _:
            raise TypeError(type(request).__name__)
    return other
