"""Random histories of edits, orders, merges and un-merges: the rules of merging hold in both services.

The oracle keeps each customer's own values, the orders as they came, and whom each was merged into;
everything else follows from them by the plainest of loops.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.domain.classification import Classifier
from customer.domain.customer import Company, ExternalId, Person, Profile
from customer.domain.errors import ValueOfAbsorbed
from customer.domain.purchases import Purchases
from customer.store import finding, queries
from customer.store.composing import compose
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customers
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import OrderRow
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Precondition
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from sales.config import SalesSettings
from sales.store import queries as sales_queries
from sales.usecases.record_orders import record_orders
from sales.wiring import SalesApp
from tests.customer.api.calls import Client
from tests.customer.conftest import NOON, seller
from tests.sales.drafts import order as draft
from tests.support.services import service

HISTORIES, SEEDS = 310, 10
CUSTOMERS, STEPS = 4, 7
TODAY = date(2026, 6, 30)
YEAR_BEGINS = date(2025, 7, 1)
MANAGER = Principal(
    PrincipalKind.USER,
    str(new_id()),
    dict.fromkeys([*seller().grants, "customer.personal.read"], Scope.ALL),
)
SALES = Principal.service("sales")
TEXTS = ("industry", "province", "city")


@pytest.fixture(scope="module")
def sales(clock: FixedClock) -> Iterator[SalesApp]:
    with service(SalesApp, clock, SalesSettings) as app:
        yield app


class Oracle:
    """What must be true."""

    def __init__(self, ids: list[UUID]) -> None:
        self.ids = ids
        self.own: dict[UUID, dict[str, Any]] = {i: {} for i in ids}
        self.into: dict[UUID, UUID] = {}
        self.orders: list[tuple[UUID, UUID, date, int]] = []

    def root(self, customer: UUID) -> UUID:
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def group(self, root: UUID) -> list[UUID]:
        return [root, *(i for i in self.ids if i != root and self.root(i) == root)]

    def merge(self, survivor: UUID, absorbed: list[UUID]) -> bool:
        """Whether the merge is allowed; does it then."""
        roots = {i: self.root(i) for i in absorbed}
        allowed = survivor not in self.into and all(
            root in (i, survivor) or root in absorbed for i, root in roots.items()
        )
        if allowed:
            self.into.update((i, survivor) for i, root in roots.items() if root == i)
        return allowed

    def shown(self, customer: UUID) -> dict[str, Any]:
        """Texts: the first that is not empty; lists: all of the group, each once."""
        values: dict[str, Any] = {}
        for member in self.group(self.root(customer)):
            for name, value in self.own[member].items():
                if isinstance(value, list):
                    values[name] = values.get(name, []) + [v for v in value if v not in values.get(name, [])]
                else:
                    values[name] = values.get(name) or value
        return {name: value for name, value in values.items() if value}

    def edit(self, customer: UUID, field: str, wanted: Any) -> bool:
        """Whether the group can show `wanted`; if so, the survivor keeps what differs from what it showed."""
        root = self.root(customer)
        empty: Any = [] if isinstance(wanted, list) else ""
        held, seen = self.own[root].get(field) or empty, self.shown(root).get(field, empty)
        before = self.own[root]
        if isinstance(wanted, list):
            kept: Any = [value for value in wanted if value in held or value not in seen]
        else:
            kept = held if wanted == seen else wanted
        self.own[root] = {**before, field: kept}
        shown = self.shown(root).get(field, empty)
        allowed = set(shown) == set(wanted) if isinstance(wanted, list) else shown == wanted
        if not allowed:
            self.own[root] = before
        return allowed

    def orders_of(self, root: UUID) -> list[tuple[UUID, UUID, date, int]]:
        return [order for order in self.orders if self.root(order[1]) == root]

    def purchases(self, root: UUID) -> Purchases:
        orders = self.orders_of(root)
        year = [order for order in orders if order[2] >= YEAR_BEGINS]
        days, year_days = [order[2] for order in orders], [order[2] for order in year]
        return Purchases(
            order_count=len(orders),
            total=Decimal(sum(order[3] for order in orders)),
            first_on=min(days, default=None),
            last_on=max(days, default=None),
            year_order_count=len(year),
            year_total=Decimal(sum(order[3] for order in year)),
            year_first_on=min(year_days, default=None),
        )


class History:
    """One history, carried out in the customer service and told to the oracle."""

    def __init__(self, app: CustomerApp, random: Random) -> None:
        self.app = app
        self.random = random
        self.client = Client(app, MANAGER)
        self.persons = random.random() < 0.3
        details = Person("王小明") if self.persons else Company("海风餐饮")
        with app.work(MANAGER) as work:
            profiles = [
                Profile(details, external_ids=(ExternalId("erp", str(new_id())),)) for _ in range(CUSTOMERS)
            ]
            outcomes = create_customers(work, profiles)
        # Older ones first: ids are in the order of creation.
        self.oracle = Oracle(sorted(outcome.id for outcome in outcomes))  # type: ignore[union-attr]

    def step(self) -> None:
        self.random.choices((self.edit, self.order, self.merge, self.unmerge), (3, 3, 4, 3))[0]()

    def edit(self) -> None:
        """Through whichever id, as clients do: what is shown comes back with one field changed. The edit
        belongs to the survivor; what an absorbed customer knows can't be edited away."""
        asked = str(self.random.choice(self.oracle.ids))
        message = self.client.get(asked)
        field = self.random.choice((*TEXTS, "tags", "phones", "nothing"))
        if field in TEXTS:
            value: Any = self.random.choice(("", "甲", "乙", "丙"))
            setattr(message, field, value)
        elif field != "nothing":
            choice = {"tags": ("a", "b", "c"), "phones": [f"+861380000000{n}" for n in range(4)]}[field]
            details = message.person if self.persons else message.company
            held = message.tags if field == "tags" else details.phones
            # Half of the time something is added to what is shown, else it is replaced.
            value = [*held] if self.random.random() < 0.5 else []
            more = self.random.sample(choice, self.random.randint(0, 3))
            value += [one for one in more if one not in value]
            # Tags are kept in order.
            held[:] = value = sorted(value) if field == "tags" else value
        allowed = field == "nothing" or self.oracle.edit(UUID(asked), field, value)
        mask = [] if field == "nothing" or value else [self._path(field)]
        request = rpc.UpdateCustomerRequest(customer=message, update_mask={"paths": mask})
        try:
            self.client.ask("update_customer", request)
        except ValueOfAbsorbed:
            assert not allowed
        else:
            assert allowed

    def _path(self, field: str) -> str:
        return field if field != "phones" else f"{'person' if self.persons else 'company'}.phones"

    def order(self) -> None:
        customer = self.random.choice(self.oracle.ids)
        day = TODAY - timedelta(days=self.random.choice((3, 40, 200, 400)))
        amount = self.random.choice((2_000, 9_000, 40_000))
        order = (new_id(), customer, day, amount)
        self.oracle.orders.append(order)
        row = OrderRow(order[0], 1, customer, day, "paid", Decimal(amount))
        with self.app.work(Principal.service("customer")) as work:
            apply_orders(work, [row])

    def merge(self) -> None:
        survivor, *absorbed = self.random.sample(self.oracle.ids, self.random.randint(2, 3))
        allowed = self.oracle.merge(survivor, absorbed)
        try:
            with self.app.work(MANAGER) as work:
                merge_customers(work, survivor, absorbed)
        except Precondition:
            assert not allowed
        else:
            assert allowed

    def unmerge(self) -> None:
        customer = self.random.choice(self.oracle.ids)
        merged = self.oracle.into.pop(customer, None) is not None
        try:
            with self.app.work(MANAGER) as work:
                unmerge_customer(work, customer)
        except Precondition:
            assert not merged
        else:
            assert merged

    def part_all(self) -> None:
        """Takes everybody out again, in any order."""
        absorbed = list(self.oracle.into)
        self.random.shuffle(absorbed)
        for customer in absorbed:
            with self.app.work(MANAGER) as work:
                unmerge_customer(work, customer)
        self.oracle.into.clear()


def links_hold(history: History) -> None:
    """Everybody is read through the end of their chain."""
    ids = {"ids": history.oracle.ids}
    rows = history.app.reader.rows("select id, survivor_id from customers where id = any(%(ids)s)", ids)
    for row in rows:
        root = history.oracle.root(row.id)
        assert row.survivor_id == (None if root == row.id else root)


def values_hold(history: History) -> None:
    """Each keeps what is its own; a survivor shows all that its group knows, whoever is asked for."""
    app, oracle = history.app, history.oracle
    sql = "select * from customers where id = any(%(ids)s)"
    for row in app.reader.rows(sql, {"ids": oracle.ids}):
        [document] = queries.open_documents(app.sealer, [row])
        kept = _values(row, document or row.company)
        assert kept == {name: value for name, value in oracle.own[row.id].items() if value}
    asked = [queries.get_customer(app.reader, MANAGER, customer) for customer in oracle.ids]
    documents = queries.open_documents(app.sealer, asked)
    shown, documents = compose(app.reader, app.sealer, asked, documents)
    for customer, row, document in zip(oracle.ids, shown, documents, strict=True):
        assert row.id == oracle.root(customer)
        assert _values(row, document or row.company) == oracle.shown(customer)
        now = history.client.get(str(row.id))
        then = history.client.get(str(row.id), as_of=NOON)
        assert _facts(then) == _facts(now), "what is and what is said to have been a moment ago"


def _facts(message: Any) -> Any:
    """What a customer shows, but for classes and times, in no order."""
    details = message.person if message.HasField("person") else message.company
    texts = [getattr(message, name) for name in TEXTS]
    ids = sorted((known.source, known.value) for known in message.external_ids)
    return message.id, texts, sorted(message.tags), sorted(details.phones), ids, details.SerializeToString()


def _values(row: Any, details: dict[str, Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in (*TEXTS, "tags")}
    values["phones"] = details.get("phones", [])
    return {name: value for name, value in values.items() if value}


def filters_hold(history: History) -> None:
    """A list is filtered by what its customers show."""
    oracle, random = history.oracle, history.random
    field = random.choice((*TEXTS, "tags"))
    value = random.choice(("a", "b") if field == "tags" else ("", "甲", "乙"))
    text = f'"{value}" in tags' if field == "tags" else f'{field} == "{value}"'
    rows, _ = finding.page(history.app.reader, MANAGER, finding.listing(text, "", False), None, 200)
    roots = {oracle.root(customer) for customer in oracle.ids}
    shown = {root: oracle.shown(root).get(field, [] if field == "tags" else "") for root in roots}
    expected = {root for root, held in shown.items() if (value in held if field == "tags" else value == held)}
    assert {row.id for row in rows} & set(oracle.ids) == expected


def sums_hold(history: History) -> None:
    """Orders keep their customer; sums and classes are those of the group; an absorbed one has none."""
    app, oracle = history.app, history.oracle
    ids = {"ids": oracle.ids}
    kept = app.reader.rows("select order_id, customer_id from orders where customer_id = any(%(ids)s)", ids)
    assert {tuple(row) for row in kept} == {order[:2] for order in oracle.orders}
    with app.work(MANAGER) as work:
        grounds = work.classes.grounds(oracle.ids, TODAY)
    classifier = Classifier.of(grounds.schemes)
    classes = {(row.customer_id, row.scheme): row.class_ for row in grounds.classes}
    for customer in oracle.ids:
        absorbed = oracle.root(customer) != customer
        purchases = Purchases() if absorbed else oracle.purchases(customer)
        assert grounds.purchases.get(customer, Purchases()) == purchases
        if not absorbed:
            view = queries.get_purchases(app.reader, customer, TODAY)
            assert view == tuple(getattr(purchases, name) for name in view._fields)
            recent = queries.recent_orders(app.reader, customer)
            newest = sorted(((order[2], order[0]) for order in oracle.orders_of(customer)), reverse=True)
            assert [(row.ordered_on, row.order_id) for row in recent] == newest
        for scheme, verdict in classifier.decide(purchases, TODAY):
            assert classes.get((customer, scheme.id), "") == verdict.class_


def sell(history: History, sales: SalesApp) -> None:
    """Sales has the orders of the history."""
    drafts = [
        draft(value=str(order), customer_id=str(customer), ordered_on=day.isoformat())
        for order, customer, day, _ in history.oracle.orders
    ]
    if drafts:
        with sales.work(SALES) as work:
            record_orders(work, drafts)


def sales_holds(history: History, sales: SalesApp, told: list[dict[str, Any]]) -> None:
    """After all facts, in any order and some of them twice, sales shows the orders of the same groups."""
    oracle, random = history.oracle, history.random
    heard = told + random.sample(told, len(told) // 2)
    random.shuffle(heard)
    with sales.work(SALES) as work:
        for event in heard:
            work.customers.link(
                (UUID(link["absorbedId"]), _id(link.get("survivorId")), link["version"])
                for link in event["links"]
            )
    links = sales.reader.rows(
        "select customer_id, survivor_id from links where customer_id = any(%s) and survivor_id is not null",
        (oracle.ids,),
    )
    assert dict(links) == {i: oracle.root(i) for i in oracle.ids if oracle.root(i) != i}
    for customer in oracle.ids:
        shown = sales_queries.list_orders(sales.reader, SALES, customer, None, 200)
        assert {(row.value, row.customer_id) for row in shown} == {
            (str(order[0]), order[1]) for order in oracle.orders_of(oracle.root(customer))
        }


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def told_since(app: CustomerApp, since: UUID | None) -> tuple[list[dict[str, Any]], UUID | None]:
    """The links told after the outbox row `since`, and the last row."""
    rows = app.reader.rows(
        "select id, body from outbox where type = 'crm.customer.v1.CustomersMerged'"
        " and (%(since)s::uuid is null or id > %(since)s::uuid) order by id",
        {"since": since},
    )
    return [json.loads(row.body)["data"] for row in rows], rows[-1].id if rows else since


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_is_merged_edited_and_taken_apart(app: CustomerApp, sales: SalesApp, seed: int) -> None:
    since: UUID | None = None
    for number in range(HISTORIES // SEEDS):
        history = History(app, Random(1_000 * seed + number))
        for _ in range(STEPS):
            history.step()
        sell(history, sales)
        everything_told: list[dict[str, Any]] = []
        for finish in (lambda: None, history.part_all):
            finish()
            links_hold(history)
            values_hold(history)
            filters_hold(history)
            sums_hold(history)
            told, since = told_since(app, since)
            everything_told += told
            sales_holds(history, sales, everything_told)
    assert since is not None, "nobody was ever merged"
