"""Commands of clients, and the effects that stand in the stores: in the owner's, and in the projections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from uuid import UUID

from crm.customer.v1.customer_pb2 import Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest, CreateCustomerRequest
from crm.customer.v1.timeline_service_pb2 import (
    INTERACTION_KIND_CONSULTATION,
    Interaction,
    RecordInteractionRequest,
)
from crm.gateway.v1.directory_service_pb2 import CreateTeamRequest
from crm.gateway.v1.identity_pb2 import Team
from crm.privacy.v1 import consent_service_pb2 as consents
from crm.sales.v1.order_pb2 import ErpId, Order, OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm_cli.client import Session
from crm_cli.tour.cdnow import today
from crm_cli.tour.feed import yuan
from tests.faults.clients import Command
from tests.faults.world import World

# What the feeder may be asked to do, and how often.
_KINDS = {"visitor": 3, "order": 4, "talk": 2}
# Those that leave something with their key in the owner's store.
KINDS = ("visitor", "order", "talk", "word", "team")
# The most customers one call creates.
_BATCH = 500


def request_id(random: Random) -> str:
    """A UUID that the seed decides, so that a failing seed fails again."""
    return str(UUID(int=random.getrandbits(128), version=4))


def commands(source: str, count: int, customers: list[str], random: Random) -> list[Command]:
    """`count` commands of a feeder; keys begin with `source`. Orders are those of `customers` (ids)."""
    kinds = random.choices(list(_KINDS), weights=list(_KINDS.values()), k=count)
    made: dict[str, Callable[[int], Command]] = {
        "visitor": lambda number: visitor(source, number, random),
        "order": lambda number: order(source, number, customers, random),
        "talk": lambda number: talk(source, number, customers, random),
    }
    return [made[kind](number) for number, kind in enumerate(kinds)]


def visitor(source: str, number: int, random: Random) -> Command:
    """A person whom only the request id tells from others."""
    key = f"{source} visitor {number}"
    # Made-up visitors resemble one another; they are different people.
    request = CreateCustomerRequest(
        customer=Customer(person=Person(full_name="访客", phones=["13900000000"]), tags=[key]),
        request_id=request_id(random),
        allow_duplicate=True,
    )
    return key, lambda session: session.customers.CreateCustomer, request


def order(source: str, number: int, customers: list[str], random: Random) -> Command:
    """A new order of one of the customers."""
    key = f"{source} order {number}"
    told = Order(
        external_id=ErpId(source=source, value=key),
        source_version=1,
        customer_id=random.choice(customers),
        ordered_on=(today() - timedelta(days=random.randrange(300))).isoformat(),
        status=OrderStatus.ORDER_STATUS_PAID,
        total=yuan(random.randrange(1, 1000)),
    )
    request = BatchUpsertOrdersRequest(orders=[told], request_id=request_id(random))
    return key, lambda session: session.orders.BatchUpsertOrders, request


def talk(source: str, number: int, customers: list[str], random: Random) -> Command:
    """Something said by one of the customers: nothing but its request id keeps it from being said twice."""
    key = f"{source} talk {number}"
    said = Interaction(kind=INTERACTION_KIND_CONSULTATION, channel=key, content="想了解新品")
    request = RecordInteractionRequest(
        customer_id=random.choice(customers), interaction=said, request_id=request_id(random)
    )
    return key, lambda session: session.timelines.RecordInteraction, request


def word(source: str, number: int, customers: list[str], random: Random) -> Command:
    """A customer's refusal to be written to; only an officer may record it. The ledger keeps every one."""
    key = f"{source} word {number}"
    event = consents.ConsentEvent(
        subject_id=random.choice(customers),
        purpose_id="marketing",
        channel=consents.CHANNEL_EMAIL,
        state=consents.CONSENT_STATE_REFUSED,
        captured_via=consents.CAPTURED_VIA_API,
        proof=consents.Proof(form=key),
    )
    request = consents.RecordConsentsRequest(events=[event], request_id=request_id(random))
    return key, lambda session: session.consents.RecordConsents, request


def team(source: str, number: int, random: Random) -> Command:
    """A new team; only an administrator may."""
    key = f"{source} team {number}"
    request = CreateTeamRequest(team=Team(name=key), request_id=request_id(random))
    return key, lambda session: session.directory.CreateTeam, request


def address(source: str, number: int) -> str:
    """The e-mail address of such a customer."""
    return f"{source.replace(' ', '-').lower()}-{number}@example.com"


def customers(session: Session, source: str, count: int, random: Random, **common: object) -> list[str]:
    """Ids of new customers; what is `common` stands in each."""
    people = [
        Customer(
            person=Person(full_name=f"客户{number}", emails=[address(source, number)]),
            external_ids=[ExternalId(source=source, value=str(number))],
            **common,
        )
        for number in range(count)
    ]
    made: list[str] = []
    for start in range(0, count, _BATCH):
        request = BatchCreateCustomersRequest(
            customers=people[start : start + _BATCH], request_id=request_id(random), allow_duplicate=True
        )
        answer = session.call(session.customers.BatchCreateCustomers, request)
        made += [outcome.created_id or outcome.existing_id for outcome in answer.outcomes]
    return made


def effects(world: World, source: str) -> Iterator[tuple[str, Counter[str]]]:
    """How often the effect of each key stands where it must stand: place, and count by key."""
    rows, like = world.behind.rows, f"{source} %"
    people = rows("customer", "select id, tags[1] from app.customers where tags[1] like %s", like)
    orders = rows("sales", "select id, value from app.orders where source = %s", source)
    teams = rows("gateway", "select id, name from app.team_tree where name like %s", like)
    talks = rows("customer", "select id, channel from app.interactions where channel like %s", like)
    words = rows(
        "privacy", "select id, proof->>'form' from app.consent_events where proof->>'form' like %s", like
    )
    yield "owners", Counter(key for _, key in (*people, *orders, *teams, *talks, *words))
    # Each is known to another service, too: by the event that told it.
    key_of = dict((*people, *orders, *teams))
    known = "select customer_id from app.customers where customer_id = any(%s)"
    heard = rows("sales", known, [one for one, _ in people])
    heard += rows("customer", "select order_id from app.orders where order_id = any(%s)", list(dict(orders)))
    heard += rows("sales", "select team_id from app.teams where team_id = any(%s)", list(dict(teams)))
    yield "projections", Counter(key_of[one] for (one,) in heard)
