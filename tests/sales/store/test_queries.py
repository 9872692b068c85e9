"""Whose orders a caller sees, in which order, on how many pages."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from sales.domain.erp_record import Stored
from sales.store import queries
from sales.usecases.ports import CustomerRow
from sales.usecases.record_orders import record_orders
from sales.usecases.record_products import record_products
from sales.wiring import SalesApp
from tests.sales.drafts import order, product
from tests.sales.people import owners, reader, teams

SERVICE = Principal.service("sales")


def buy(app: SalesApp, customer: UUID, value: str, day: str = "2026-03-01") -> UUID:
    with app.work(SERVICE) as work:
        [outcome] = record_orders(work, [order(value=value, customer_id=str(customer), ordered_on=day)])
    assert isinstance(outcome, Stored)
    return outcome.id


def seen(app: SalesApp, principal: Principal, customer: UUID | None = None) -> list[str]:
    return [row.value for row in queries.list_orders(app.reader, principal, customer, None, 100)]


class House:
    """A head of sales over two teams, a seller in each, and a customer of each of the three."""

    def __init__(self, app: SalesApp) -> None:
        self.head, self.anna, self.bo = new_id(), new_id(), new_id()
        sales, north, south = new_id(), new_id(), new_id()
        teams(
            app,
            {sales: [sales], north: [sales, north], south: [sales, south]},
            {self.head: sales, self.anna: north, self.bo: south},
        )
        self.customers = {name: new_id() for name in ("head's", "anna's", "bo's", "nobody's", "unheard")}
        owners(
            app,
            {
                self.customers["head's"]: self.head,
                self.customers["anna's"]: self.anna,
                self.customers["bo's"]: self.bo,
                self.customers["nobody's"]: None,
            },
        )
        self.orders = {name: buy(app, customer, name) for name, customer in self.customers.items()}


@pytest.fixture
def house(app: SalesApp) -> House:
    return House(app)


@pytest.mark.parametrize(
    ("who", "scope", "sees"),
    [
        ("anna", Scope.SELF, set()),
        ("anna", Scope.OWN, {"anna's"}),
        ("anna", Scope.TEAM, {"anna's"}),
        ("anna", Scope.SUBTREE, {"anna's"}),
        ("head", Scope.OWN, {"head's"}),
        ("head", Scope.TEAM, {"head's"}),
        ("head", Scope.SUBTREE, {"head's", "anna's", "bo's"}),
        ("head", Scope.ALL, {"head's", "anna's", "bo's", "nobody's", "unheard"}),
    ],
)
def test_an_order_is_seen_by_those_who_reach_the_owner_of_its_customer(
    app: SalesApp, house: House, who: str, scope: Scope, sees: set[str]
) -> None:
    principal = reader(scope, getattr(house, who))
    assert set(seen(app, principal)) == sees
    for name, order_id in house.orders.items():
        assert (queries.get_order(app.reader, principal, order_id) is not None) == (name in sees)
        assert seen(app, principal, house.customers[name]) == [name] * (name in sees)


def test_orders_follow_their_customer_to_another_owner(app: SalesApp, house: House) -> None:
    with app.work(SERVICE) as work:
        work.customers.apply([CustomerRow(house.customers["anna's"], 2, house.bo)])
    assert seen(app, reader(Scope.OWN, house.anna)) == []
    assert set(seen(app, reader(Scope.OWN, house.bo))) == {"anna's", "bo's"}


def test_collaborators_of_a_customer_see_its_orders(app: SalesApp, house: House) -> None:
    helping = CustomerRow(house.customers["bo's"], 2, house.bo, (house.anna,))
    with app.work(SERVICE) as work:
        work.customers.apply([helping])
    assert set(seen(app, reader(Scope.OWN, house.anna))) == {"anna's", "bo's"}
    assert seen(app, reader(Scope.OWN, house.bo)) == ["bo's"]


def test_orders_of_a_deleted_customer_are_out_of_sight_until_it_is_brought_back(
    app: SalesApp, house: House
) -> None:
    customer = house.customers["anna's"]
    for version, deleted in ((2, True), (3, False)):
        with app.work(SERVICE) as work:
            work.customers.apply([CustomerRow(customer, version, house.anna, deleted=deleted)])
        for principal in (reader(Scope.OWN, house.anna), reader(Scope.ALL)):
            assert ("anna's" in seen(app, principal)) is not deleted
            order = queries.get_order(app.reader, principal, house.orders["anna's"])
            assert (order is None) is deleted


def test_without_the_permission_nothing_is_seen(app: SalesApp, house: House) -> None:
    stranger = Principal(reader(Scope.ALL).kind, str(house.head), {"sales.products.read": Scope.ALL})
    assert seen(app, stranger) == []


def test_orders_come_newest_first_page_by_page(app: SalesApp) -> None:
    customer = new_id()
    days = [f"2026-03-{day:02}" for day in (1, 9, 4, 9, 9, 2)]
    for number, day in enumerate(days):
        buy(app, customer, f"{number}", day)
    everything = seen(app, SERVICE, customer)
    assert [days[int(value)] for value in everything] == sorted(days, reverse=True)
    paged: list[Any] = []
    after: tuple[date, UUID] | None = None
    while rows := queries.list_orders(app.reader, SERVICE, customer, after, 2):
        paged += [row.value for row in rows]
        after = (rows[-1].ordered_on, rows[-1].id)
    assert paged == everything


def test_products_come_by_name_page_by_page_chinese_by_pinyin(app: SalesApp) -> None:
    names = ["张三茶", "啊", "茶叶", "白茶", "apple", "茶叶"]
    with app.work(SERVICE) as work:
        record_products(work, [product(value=f"{n}", name=name) for n, name in enumerate(names)])
    paged: list[str] = []
    after: tuple[str, UUID] | None = None
    while rows := queries.list_products(app.reader, after, 2):
        paged += [row.name for row in rows]
        after = (rows[-1].name, rows[-1].id)
    assert [name for name in paged if name != "apple"] == ["啊", "白茶", "茶叶", "茶叶", "张三茶"]
    assert sorted(paged) == sorted(names)


def test_lists_of_a_customer_use_their_index(app: SalesApp) -> None:
    """A customer's page costs a page, however many orders there are."""
    with app.engine.begin() as connection:
        connection.exec_driver_sql("""
            insert into orders (id, version, source, value, source_version, customer_id, ordered_on,
                                status, lines, currency, total, refunded, base_amount, base_currency,
                                updated_at)
            select gen_random_uuid(), 1, 'bulk', n::text, 1, gen_random_uuid(),
                   date '2026-01-01' - mod(n, 900), 'paid', '[]', 'CNY', 1, 0, 1, 'CNY', now()
            from generate_series(1, 5000) n
        """)
        connection.exec_driver_sql("analyze orders")
    asked: list[tuple[str, Any]] = []

    class Asking:
        def rows(self, sql: str, params: Any) -> list[Any]:
            asked.append((sql, params))
            return []

    queries.list_orders(Asking(), SERVICE, new_id(), (date(2026, 1, 1), new_id()), 51)  # type: ignore[arg-type]
    _, (sql, params) = asked
    with app.engine.connect() as connection:
        plan = "\n".join(row[0] for row in connection.exec_driver_sql("explain " + sql, params))
    assert "orders_by_customer" in plan
    assert "Sort" not in plan
