"""Customers, orders and groups for the tests of groups."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from customer.domain.customer import Company, Profile
from customer.domain.groups import GroupDraft
from customer.jobs.keep_groups import review_groups
from customer.jobs.review_classes import review_classes
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer
from customer.usecases.define_groups import create_group
from customer.usecases.keep_groups import keep_groups
from customer.usecases.ports import REVIEW, REVIEW_GROUPS, OrderRow
from customer.wiring import CustomerApp
from kernel.jobs.timers import fire_due
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.customer.conftest import seller

EVERYBODY = seller(Scope.ALL)
SERVICE = Principal.service("customer")


def customer(app: CustomerApp, principal: Principal = EVERYBODY, **fields: object) -> UUID:
    """A company with these fields."""
    with app.work(principal) as work:
        profile = Profile(Company(f"客户 {new_id()}"), **fields)  # type: ignore[arg-type]
        return create_customer(work, profile, allow_duplicate=True).id


def order(
    app: CustomerApp,
    customer_id: UUID,
    day: date,
    amount: int = 100,
    order_id: UUID | None = None,
    version: int = 1,
) -> UUID:
    order_id = order_id or new_id()
    with app.work(SERVICE) as work:
        apply_orders(work, [OrderRow(order_id, version, customer_id, day, "paid", Decimal(amount))])
    return order_id


def group(app: CustomerApp, expression: str) -> UUID:
    with app.work(EVERYBODY) as work:
        return create_group(work, GroupDraft(f"群 {new_id()}", expression)).id


def settle(app: CustomerApp) -> None:
    """Until nothing is left to be decided at the present instant."""
    handlers = {REVIEW_GROUPS: review_groups, REVIEW: review_classes}
    while fire_due(app, handlers, app.clock.now()):
        pass
    busy = True
    while busy:
        with app.work(SERVICE) as work:
            busy = keep_groups(work)


def members(app: CustomerApp, group_id: UUID) -> set[UUID]:
    rows = app.reader.rows(
        "select customer_id from group_members where group_id = %s and member", (group_id,)
    )
    return {row.customer_id for row in rows}
