"""Merges, edits and orders at the same time: whoever waits finds the links as they are by then."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

from customer.domain.customer import Company, Profile
from customer.store import queries
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customers
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import OrderRow
from customer.usecases.unmerge_customer import unmerge_customer
from customer.usecases.update_customer import update_customer
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.customer.conftest import seller

MANAGER = seller(Scope.ALL)
ROUNDS = 12


def done(app: CustomerApp, principal: Principal, do: Callable[..., object]) -> None:
    """Once: locks are taken in one order, so that nobody is in another's way for good."""
    with app.work(principal) as work:
        do(work)


def test_no_order_is_lost_for_a_class_and_no_edit_for_a_survivor(app: CustomerApp) -> None:
    with app.work(MANAGER) as work:
        outcomes = create_customers(work, [Profile(Company("海风餐饮"))] * 2)
    old, new = sorted(outcome.id for outcome in outcomes)  # type: ignore[union-attr]

    def merge_and_part() -> None:
        for _ in range(ROUNDS):
            done(app, MANAGER, lambda work: merge_customers(work, old, [new]))
            done(app, MANAGER, lambda work: unmerge_customer(work, new))
        done(app, MANAGER, lambda work: merge_customers(work, old, [new]))

    def buy() -> None:
        for _ in range(ROUNDS):
            order = OrderRow(new_id(), 1, new, date(2026, 6, 1), "paid", Decimal(3_000))
            done(app, Principal.service("customer"), lambda work, order=order: apply_orders(work, [order]))

    def edit() -> None:
        for number in range(ROUNDS):
            tag = (f"t{number:02}",)
            for customer in (old, new):
                done(
                    app,
                    MANAGER,
                    lambda work, customer=customer, tag=tag: update_customer(
                        work, customer, "", lambda profile: replace(profile, tags=(*profile.tags, *tag))
                    ),
                )

    with ThreadPoolExecutor(3) as threads:
        for ended in [threads.submit(task) for task in (merge_and_part, buy, edit)]:
            ended.result(timeout=60)
    survivor = queries.get_customer(app.reader, MANAGER, new)
    assert survivor.id == old
    assert queries.get_purchases(app.reader, old, date(2026, 6, 30)).order_count == ROUNDS
    classes = app.reader.rows("select customer_id, class as name from classes where scheme = 'spend_tier'")
    assert {row.customer_id: row.name for row in classes} == {old: "important", new: ""}
    tags = app.reader.rows("select distinct unnest(tags) as tag from customers")
    assert {row.tag for row in tags} == {f"t{number:02}" for number in range(ROUNDS)}
