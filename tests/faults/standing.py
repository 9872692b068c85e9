"""The laws that hold of a settled installation after any harm."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.privacy.v1.audit_service_pb2 import GetAuditVerdictsRequest
from tests.faults import laws
from tests.faults.laws import Breach
from tests.faults.scenario import Result
from tests.faults.told import Told
from tests.faults.world import World
from tests.system.behind import until

_OUTBOX_AGE = timedelta(seconds=10)
# Seconds after which nothing can be in a handler's hands any more.
_QUIET = 20.0
_ORDER = "(version, customer_id, ordered_on, status, base_amount::float8)::text from app.orders"
_OWNED = "(version, owner_id)::text"
_TEAM = "(version, path)::text"
# Each thing with its version and state, where it is owned and where it is copied.
_COPIES = (
    ("sales", f"select id, {_ORDER}", "customer", f"select order_id, {_ORDER}"),
    ("customer", f"select id, {_OWNED} from app.customers",
     "sales", f"select customer_id, {_OWNED} from app.customers"),
    ("customer", "select id, version::text from app.customers",
     "ticketing", "select customer_id, version::text from app.customers"),
    ("customer", f"select id, {_OWNED} from app.customers where kind = 'person'",
     "privacy", f"select person_id, {_OWNED} from app.persons"),
    *(("gateway", f"select id, {_TEAM} from app.team_tree",
       service, f"select team_id, {_TEAM} from app.teams")
      for service in ("customer", "sales", "ticketing", "marketing", "privacy")),
)  # fmt: skip
# Of who was erased a shell is left here and nothing there.
_ERASED = "select unnest(subject_ids) from app.erasures where state = 'closed'"
# Which events are facts about versions of one thing: list, key and version in their data.
_VERSIONED = {
    "crm.sales.v1.OrdersRecorded": ("orders", "orderId"),
    "crm.customer.v1.CustomersRecorded": ("customers", "customerId"),
    "crm.gateway.v1.TeamsRecorded": ("teams", "teamId"),
}


def examine(world: World, result: Result, *, projections: bool = True) -> None:
    """Asks every law; the installation is settled. `projections`: compare copies with their owners too."""
    result.take(conservation(world))
    told = world.ledger.told()
    result.figures["events"] = len(told)
    result.take(effects_of_events(world, told))
    result.take(laws.breach("a projection never goes back", "backwards", list(world.ledger.backwards())))
    if projections:
        result.take(_projections(world))
        result.take(_versions(told))
        result.take(_outbox(world, told))
        result.take(_audit(world))


def conservation(world: World) -> list[Breach]:
    """Each event ended, for each handler, in one place. What is in a handler's hands is in no queue and
    has no row yet, so it is asked again for a while."""
    give_up = time.monotonic() + _QUIET
    while (breaches := _conservation(world)) and time.monotonic() < give_up:
        time.sleep(1)
    return breaches


def _conservation(world: World) -> list[Breach]:
    hearings = world.ledger.hearings()
    told = world.ledger.told()
    wanted = {one.id: [hearing.handler for hearing in hearings.get(one.type, ())] for one in told}
    return laws.conserved(wanted, world.ledger.taken(), world.ledger.dead())


def effects_of_events(world: World, told: list[Told]) -> Iterator[Breach]:
    """What is only ever added to, and nothing but the inbox keeps from being added twice."""
    orders = [one.data for one in told if one.type == "crm.privacy.v1.ErasureOrdered"]
    wished = {(one["requestId"], str(one.get("attempt", 0))) for one in orders}
    if wished:
        requests = [request for request, _ in wished]
        for hearing in world.ledger.hearings()["crm.privacy.v1.ErasureOrdered"]:
            rows = world.behind.rows(
                hearing.service,
                "select object_id, facts->>'attempt' from app.audit where action = 'erase'"
                " and object_type = 'erasure_request' and object_id = any(%s)",
                requests,
            )
            yield from laws.once_each("an order to erase is carried out once", wished, Counter(rows))
        yield from _receipts(world, told, requests)
    clicks = [one.data["messageId"] for one in told if one.name == "RecipientUnsubscribed"]
    if clicks:
        rows = world.behind.rows(
            "privacy",
            "select proof->>'message_id' from app.consent_events where proof->>'message_id' = any(%s)",
            clicks,
        )
        written = Counter(message for (message,) in rows)
        yield from laws.once_each("an unsubscription is written down once", set(clicks), written)


def _receipts(world: World, told: list[Told], requests: list[str]) -> list[Breach]:
    receipts = [one for one in told if one.name == "SubjectErased"]
    wished = {(one.service, one.data["requestId"], str(one.data.get("attempt", 0))) for one in receipts}
    rows = world.behind.rows(
        "privacy",
        "select facts->>'service', erasure_id::text, facts->>'attempt' from app.erasure_log"
        " where what = 'receipt' and erasure_id::text = any(%s)",
        requests,
    )
    return laws.once_each("a receipt is written down once", wished, Counter(rows))


def _projections(world: World) -> Iterator[Breach]:
    rows = world.behind.rows
    erased = {one for (one,) in rows("privacy", _ERASED)}
    for owner, owned, copier, copied in _COPIES:
        law = f"{copier} knows what {owner} says ({copied.rpartition('.')[2].split()[0]})"
        said, known = dict(rows(owner, owned)), dict(rows(copier, copied))
        yield from laws.same(
            law,
            {key: state for key, state in said.items() if key not in erased},
            {key: state for key, state in known.items() if key not in erased},
        )


def _versions(told: list[Told]) -> Iterator[Breach]:
    """Of things that were new in this scenario: those told with version 1."""
    for event_type, (items, key) in _VERSIONED.items():
        versions = [
            (item[key], int(item.get("version", 0)))
            for one in told
            if one.type == event_type
            for item in one.data.get(items, ())
        ]
        new = {name for name, version in versions if version == 1}
        law = f"{event_type} tells every version once"
        yield from laws.gapless(law, [one for one in versions if one[0] in new])


def _outbox(world: World, told: list[Told]) -> list[Breach]:
    now = datetime.now(UTC)
    stays = [(f"{one.type} {one.id}", one.at, one.left_at or now) for one in told]
    return laws.young(stays, world.outages, _OUTBOX_AGE)


def _audit(world: World) -> list[Breach]:
    session = world.admin.session()
    until("all audit rows are sealed and kept", lambda: _sealed(world))
    answer: Any = session.call(session.audit.GetAuditVerdicts, GetAuditVerdictsRequest(), deadline=60.0)
    faults = [f"{one.service} {one.fault} at {one.fault_position}" for one in answer.verdicts if one.fault]
    return laws.breach("the audit chain is whole", "broken", faults)


def _sealed(world: World) -> bool:
    services = ("gateway", "customer", "sales", "ticketing", "marketing", "privacy")
    counts = [world.behind.rows(name, "select count(*) from app.audit_unsealed") for name in services]
    return all(count == [(0,)] for count in counts)
