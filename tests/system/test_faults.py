"""kill -9 of every process in turn while people, orders and teams come in: nothing lost, nothing twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm.gateway.v1.directory_service_pb2 import CreateTeamRequest
from crm.gateway.v1.identity_pb2 import Team
from crm_cli.client import Account, Session
from crm_cli.local.layout import SERVICES, process_names
from crm_cli.tour.figures import list_customers
from tests.system.behind import Behind, until
from tests.system.conftest import Tell
from tests.system.erp import Erp, classes_of, word

SOURCE = "faults"
VICTIMS = (
    *(f"{service}.{process}" for service in SERVICES for process in process_names(service)),
    "envoy", "postgres-main", "postgres-keyring", "rabbitmq", "redis",
)  # fmt: skip
_ORDERS_A_BATCH = 20
_ORDER = "version, customer_id, ordered_on, status, base_amount"
# Calls that must succeed after each victim's return, before the next one dies.
_CALLS_BETWEEN = 4
_PACE = 0.1  # seconds between two calls of a feeder: the machine also runs what is tested


@dataclass
class Feed:
    """Feeders that go on, whatever dies; each call is repeated, unchanged, until it is answered."""

    erp: Erp
    calls: int = 0  # that were answered
    errors: list[str] = field(default_factory=list)
    restarts: Counter[str] = field(default_factory=Counter)  # of each process since the feed began
    visitors: int = 0  # persons without an external id: only their request ids tell them apart
    teams: dict[str, str] = field(default_factory=dict)  # id by name
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, account: Account, admin: Session) -> None:
        """Two feeders of orders, one of people, one of teams, each on a connection of its own."""
        sessions = [account.session() for _ in range(3)]
        work: list[Callable[[], None]] = [
            lambda: self._tell_orders(sessions[0]),
            lambda: self._tell_orders(sessions[1]),
            lambda: self._record_people(sessions[2]),
            lambda: self._make_team(admin),
        ]
        self._threads = [threading.Thread(target=self._repeat, args=(one,), daemon=True) for one in work]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends once every call under way has been answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(_PACE):
                work()
                self.calls += 1
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def _tell_orders(self, session: Session) -> None:
        self.erp.tell_orders(session, self.erp.invent(_ORDERS_A_BATCH))

    def _record_people(self, session: Session) -> None:
        self.erp.record_people(session, 5)
        visitor = Customer(
            person=Person(full_name="访客", phones=["13900000000"]), tags=[f"{SOURCE} {self.visitors}"]
        )
        # Made-up visitors resemble one another; they are different people.
        request = CreateCustomerRequest(customer=visitor, request_id=str(uuid4()), allow_duplicate=True)
        session.call(session.customers.CreateCustomer, request)
        self.visitors += 1

    def _make_team(self, admin: Session) -> None:
        name = f"{SOURCE} {len(self.teams)}"
        request = CreateTeamRequest(team=Team(name=name), request_id=str(uuid4()))
        self.teams[name] = admin.call(admin.directory.CreateTeam, request).id


@pytest.fixture(scope="module")
def feed(behind: Behind, erp: Account, admin: Session, tell: Tell) -> Feed:
    """What came in while every process was killed once, after all events have been heard."""
    behind.await_well()
    before = _restarts(behind)
    feed = Feed(Erp(SOURCE))
    feed.erp.record_people(erp.session(), 40)
    feed.start(erp, admin)
    try:
        for victim in VICTIMS:
            _kill(victim, feed, behind, tell)
    finally:
        feed.stop()
    began = time.monotonic()
    behind.await_well()
    behind.await_silence()
    feed.restarts = _restarts(behind) - before
    tell(
        f"faults: {len(VICTIMS)} kills, {feed.calls} calls, {len(feed.erp.ids)} people, "
        f"{len(feed.erp.newest)} orders, {len(feed.teams)} teams; "
        f"nothing under way after {time.monotonic() - began:.1f} s"
    )
    return feed


def _kill(victim: str, feed: Feed, behind: Behind, tell: Tell) -> None:
    _await_calls(feed, _CALLS_BETWEEN)
    began = time.monotonic()
    dead = behind.kill(victim)
    behind.await_restart(victim, dead)
    ready = time.monotonic() - began
    _await_calls(feed, _CALLS_BETWEEN)
    flows = time.monotonic() - began
    tell(f"faults: {victim} ready again {ready:.1f} s after its kill, the feed flowed after {flows:.1f} s")


def _restarts(behind: Behind) -> Counter[str]:
    return Counter({process.name: process.restarts for process in behind.stack.processes})


def _await_calls(feed: Feed, more: int) -> None:
    wanted = feed.calls + more
    until("the feed flows", lambda: feed.errors or feed.calls >= wanted)
    assert not feed.errors, f"a call was refused for good: {feed.errors}"


def test_every_call_was_answered(feed: Feed) -> None:
    assert feed.errors == []


def test_every_process_died_once_and_no_other(feed: Feed) -> None:
    """Nobody else died of a neighbour's death."""
    assert feed.restarts == Counter(VICTIMS)


def test_each_order_stands_once_in_sales_with_its_greatest_version(feed: Feed, behind: Behind) -> None:
    query = """
        select value, source_version, customer_id::text, ordered_on, status, base_amount
        from app.orders where source = %s
    """
    found = behind.rows("sales", query, SOURCE)
    ids = feed.erp.ids
    told = {
        (o.value, o.version, ids[o.customer], o.day, word(o.status), o.amount)
        for o in feed.erp.newest.values()
    }
    assert Counter(found) == Counter(told)


def test_the_customer_service_knows_every_order_as_sales_does(feed: Feed, behind: Behind) -> None:
    sales = behind.rows("sales", f"select id, {_ORDER} from app.orders where source = %s", SOURCE)
    known = behind.rows(
        "customer",
        f"select order_id, {_ORDER} from app.orders where customer_id::text = any(%s)",
        list(feed.erp.ids.values()),
    )
    assert Counter(known) == Counter(sales)


@pytest.mark.parametrize("scheme", ["spend_tier", "rfm"])
def test_classes_are_those_of_an_independent_computation(feed: Feed, admin: Session, scheme: str) -> None:
    numbers = {customer_id: number for number, customer_id in feed.erp.ids.items()}
    seen = {
        numbers[customer.id]: classes_of(customer).get(scheme, "none")
        for customer in list_customers(admin)
        if customer.id in numbers
    }
    field_of = {"spend_tier": "tier", "rfm": "rfm"}[scheme]
    facts = feed.erp.facts()
    expected = {n: getattr(facts[n], field_of) if n in facts else "none" for n in feed.erp.ids}
    assert seen == expected


def test_each_person_was_recorded_once(feed: Feed, behind: Behind) -> None:
    """Those with an external id, and those whom only the request id tells apart."""
    persons = "select count(*), count(distinct customer_id) from app.external_ids where source = %s"
    assert behind.rows("customer", persons, SOURCE) == [(len(feed.erp.ids), len(feed.erp.ids))]
    visitors = "select tags[1], count(*) from app.customers where tags[1] like %s group by 1"
    told = {f"{SOURCE} {number}": 1 for number in range(feed.visitors)}
    assert dict(behind.rows("customer", visitors, f"{SOURCE} %")) == told


def test_each_person_was_audited_once(feed: Feed, behind: Behind) -> None:
    query = """
        select object_id, count(*) from app.audit
        where action = 'create' and object_type = 'customer' and object_id = any(%s) group by 1
    """
    ids = list(feed.erp.ids.values())
    assert dict(behind.rows("customer", query, ids)) == dict.fromkeys(ids, 1)


def test_sales_knows_every_customer_as_the_customer_service_does(feed: Feed, behind: Behind) -> None:
    owners = "select id, version, owner_id from app.customers"
    known = "select customer_id, version, owner_id from app.customers"
    assert Counter(behind.rows("sales", known)) == Counter(behind.rows("customer", owners))


@pytest.mark.parametrize("service", ["customer", "sales"])
def test_each_team_was_made_once_and_is_known(feed: Feed, behind: Behind, service: str) -> None:
    made = behind.rows("gateway", "select id::text from app.team_tree where name like %s", f"{SOURCE} %")
    assert Counter(made) == Counter((team_id,) for team_id in feed.teams.values())
    query = "select team_id::text from app.teams where team_id::text = any(%s)"
    known = behind.rows(service, query, list(feed.teams.values()))
    assert Counter(known) == Counter(made)


def test_nothing_is_left_to_tell(feed: Feed, behind: Behind) -> None:
    outboxes = {name: behind.rows(name, "select count(*) from app.outbox") for name in SERVICES}
    assert outboxes == {name: [(0,)] for name in SERVICES}


def test_no_event_died(feed: Feed, behind: Behind) -> None:
    assert behind.dead_letters() == {}
