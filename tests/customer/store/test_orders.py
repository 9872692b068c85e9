"""The projection of orders while several events about the same order are applied at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from uuid import UUID

from customer.domain.customer import Person, Profile
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer
from customer.usecases.ports import OrderRow
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.customer.conftest import seller
from tests.support.servers import eventually

ITSELF = Principal.service("customer")


def _customer(app: CustomerApp) -> UUID:
    with app.work(seller()) as work:
        return create_customer(work, Profile(Person("王小明"))).id


def _waits_for_a_lock(app: CustomerApp) -> bool:
    query = """
        select count(*) as n from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()
    """
    row = app.reader.row(query)
    return row is not None and row.n > 0


def test_an_order_that_moves_on_while_it_moves_leaves_no_class_behind(app: CustomerApp) -> None:
    """From the first to the second customer, and at the same time from there to the third."""
    first, second, third = (_customer(app) for _ in range(3))
    order_id = new_id()

    def moved(version: int, customer_id: UUID) -> OrderRow:
        return OrderRow(order_id, version, customer_id, date(2026, 6, 30), "paid", Decimal(50))

    def hear(version: int, customer_id: UUID) -> None:
        with app.work(ITSELF) as work:
            apply_orders(work, [moved(version, customer_id)])

    hear(1, first)
    with ThreadPoolExecutor(1) as other:
        with app.work(ITSELF) as work:
            apply_orders(work, [moved(2, second)])
            moving = other.submit(hear, 3, third)
            eventually(lambda: _waits_for_a_lock(app))
        moving.result()
    rows = app.reader.rows("select customer_id, class as class_ from classes where scheme = 'spend_tier'")
    assert {row.customer_id for row in rows if row.class_} == {third}
