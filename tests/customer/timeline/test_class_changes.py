"""Every change of a class is kept with its instant (C-05)."""

from __future__ import annotations

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
from tests.customer.conftest import NOON, seller


def buy(app: CustomerApp, customer_id: UUID, amount: int) -> None:
    order = OrderRow(new_id(), 1, customer_id, date(2026, 6, 30), "paid", Decimal(amount))
    with app.work(Principal.service("customer")) as work:
        apply_orders(work, [order])


def test_each_change_of_a_class_is_kept_and_nothing_else(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        customer_id = create_customer(work, Profile(Person("王小明"))).id
    for amount in (30_000, 1, 70_000):
        buy(app, customer_id, amount)
    changes = app.reader.rows(
        "select previous_class, class as class_, at from class_changes"
        " where customer_id = %s and scheme = 'spend_tier' order by id",
        (customer_id,),
    )
    assert changes == [("", "important", NOON), ("important", "core", NOON)]
