"""100,000 questions about customers by people who may or may not know of them: no answer leaks one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.domain.customer import Person, Profile
from customer.domain.errors import CustomerNotFound
from customer.usecases.create_customers import Created, create_customers
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from tests.customer.api.calls import Client
from tests.customer.conftest import NOON
from tests.support.worlds import acting, tell, world

SEED = 20261124
CUSTOMERS, CALLERS = 400, 40
READ, PERSONAL = "customer.customers.read", "customer.personal.read"
UPDATE, DELETE = "customer.customers.update", "customer.customers.delete"
REVEAL = "customer.personal.reveal"
# Wide scopes are the exception, so that most questions are about what the caller may not know.
SCOPES = (None, Scope.SELF, Scope.OWN, Scope.OWN, Scope.TEAM, Scope.TEAM, Scope.SUBTREE)


@dataclass
class Caller:
    client: Client
    # What the caller reaches, by permission, as brute force finds it.
    reached: dict[str, set[UUID]]


class Archive:
    """Customers of a big random enterprise, each with a phone, a street and a number of its own."""

    def __init__(self, app: CustomerApp, chance: Random) -> None:
        self._app = app
        self.world = world(chance, teams=10, users=25, records=CUSTOMERS)
        with app.work(Principal.service("customer")) as work:
            tell(work.session, [self.world])
            profiles = [self._profile(number) for number in range(CUSTOMERS)]
            outcomes = create_customers(work, profiles)
        for record, outcome in zip(self.world.records, outcomes, strict=True):
            assert isinstance(outcome, Created)
            record.id = outcome.id
        self.ids = [record.id for record in self.world.records]
        self.secrets = {customer_id: _secrets(number) for number, customer_id in enumerate(self.ids)}

    def _profile(self, number: int) -> Profile:
        record = self.world.records[number]
        record.owner_id = record.owner_id or self.world.users[0]
        phone, street, identity_number = _secrets(number)
        return Profile(
            Person("王小明", (phone,), street_address=street, identity_number=identity_number),
            owner_id=record.owner_id,
            collaborator_ids=tuple(record.collaborator_ids),
        )

    def caller(self, chance: Random) -> Caller:
        user = chance.choice(self.world.users)
        scopes = {name: chance.choice(SCOPES) for name in (READ, PERSONAL, UPDATE, DELETE, REVEAL)}
        principal = acting(self.world, user, scopes)
        reached = {name: self.world.reached(user, scope) for name, scope in scopes.items()}
        return Caller(Client(self._app, principal), reached)


def _secrets(number: int) -> tuple[str, str, str]:
    return f"+86138{number:08}", f"密巷{number:05}号", f"ID{number:012}"


@pytest.fixture
def archive(app: CustomerApp) -> Iterator[Archive]:
    yield Archive(app, Random(SEED))
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams")


class Probe:
    """Asks, and keeps what was wrong with the answers."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.wrong: list[str] = []

    def one(self, caller: Caller, method: str, request: Any, customer_id: UUID, permission: str) -> None:
        """A question about one customer, which must look as if it were not there when it is out of reach."""
        self.asked[method] += 1
        known = customer_id in caller.reached[permission]
        try:
            answer = caller.client.ask(method, request)
        except CustomerNotFound as refused:
            if known or refused.metadata != {"id": str(customer_id)}:
                self.wrong.append(f"{method} hides {customer_id} from {caller.client.id}")
            return
        self.answered[method] += 1
        if not known:
            self.wrong.append(f"{method} shows {customer_id} to {caller.client.id}")
        if method != "reveal_customer":
            self._masked(caller, method, answer, customer_id)

    def page(self, caller: Caller, method: str, request: Any) -> None:
        """A question about all customers at once."""
        self.asked[method] += CUSTOMERS
        known, shown = caller.reached[READ], set()
        while True:
            answer = caller.client.ask(method, request)
            for customer in answer.customers:
                shown.add(UUID(customer.id))
                self._masked(caller, method, customer, UUID(customer.id))
            request.page_token = answer.next_page_token
            if not request.page_token:
                break
        self.answered[method] += len(shown)
        if shown != known:
            self.wrong.append(f"{method} shows {len(shown - known)} too many, {len(known - shown)} too few")

    def _masked(self, caller: Caller, method: str, answer: Any, customer_id: UUID) -> None:
        if customer_id in caller.reached[PERSONAL]:
            return
        told = answer.SerializeToString()
        if any(secret.encode() in told for secret in self._archive.secrets[customer_id]):
            self.wrong.append(f"{method} unmasks {customer_id} for {caller.client.id}")


def ask_about_all(probe: Probe, caller: Caller) -> None:
    impersonal = rpc.CUSTOMER_FIELDS_IMPERSONAL
    probe.page(caller, "list_customers", rpc.ListCustomersRequest(page_size=200))
    probe.page(caller, "list_customers", rpc.ListCustomersRequest(page_size=200, show_deleted=True))
    probe.page(caller, "list_customers", rpc.ListCustomersRequest(page_size=200, order_by="update_time"))
    probe.page(caller, "list_customers", rpc.ListCustomersRequest(page_size=200, fields=impersonal))
    probe.page(caller, "search_customers", rpc.SearchCustomersRequest(page_size=200, text="王小明"))
    counted = caller.client.ask("count_customers", rpc.CountCustomersRequest()).customers
    probe.asked["count_customers"] += CUSTOMERS
    if counted != len(caller.reached[READ]):
        probe.wrong.append(f"count_customers counts {counted}")


def ask_about_each(probe: Probe, caller: Caller, customers: list[UUID], chance: Random) -> None:
    for customer_id in chance.sample(customers, 200):
        text = str(customer_id)
        probe.one(caller, "get_customer", rpc.GetCustomerRequest(id=text), customer_id, READ)
    for customer_id in chance.sample(customers, 40):
        text = str(customer_id)
        as_of = rpc.GetCustomerRequest(id=text)
        as_of.as_of.FromDatetime(NOON)
        probe.one(caller, "get_customer", as_of, customer_id, READ)
        probe.one(caller, "get_customer_view", rpc.GetCustomerViewRequest(id=text), customer_id, READ)
        probe.one(caller, "list_versions", rpc.ListVersionsRequest(customer_id=text), customer_id, READ)


def command(probe: Probe, caller: Caller, customers: list[UUID], chance: Random) -> None:
    """Commands, of which deletion only where it must be refused: the archive stays as it is."""
    for customer_id in chance.sample(customers, 15):
        text = str(customer_id)
        change = rpc.UpdateCustomerRequest(customer={"id": text, "industry": f"{chance.random()}"})
        probe.one(caller, "update_customer", change, customer_id, UPDATE)
        reveal = rpc.RevealCustomerRequest(id=text, reason="核对电话号码")
        probe.one(caller, "reveal_customer", reveal, customer_id, REVEAL)
        if customer_id not in caller.reached[DELETE]:
            probe.one(caller, "delete_customer", rpc.DeleteCustomerRequest(id=text), customer_id, DELETE)
            probe.one(caller, "undelete_customer", rpc.UndeleteCustomerRequest(id=text), customer_id, DELETE)


def test_100_000_questions_leak_no_customer(archive: Archive) -> None:
    chance = Random(SEED)
    probe = Probe(archive)
    for _ in range(CALLERS):
        caller = archive.caller(chance)
        ask_about_all(probe, caller)
        ask_about_each(probe, caller, archive.ids, chance)
        command(probe, caller, archive.ids, chance)
    assert probe.wrong == []
    assert probe.asked.total() >= 100_000
    # Most are refused, and each way of asking was answered, too, where it should be.
    assert probe.answered.total() < probe.asked.total() / 3
    assert {*probe.asked} - {*probe.answered} == {"count_customers", "delete_customer", "undelete_customer"}
