"""Classes follow the orders, in whatever order they are heard, and the calendar."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from customer.domain.customer import Person, Profile
from customer.jobs.review_classes import review_classes
from customer.store.queries import get_purchases
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer
from customer.usecases.ports import REVIEW, OrderRow
from customer.wiring import CustomerApp
from kernel.jobs.timers import fire_due
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.customer.conftest import NOON, seller

TODAY = date(2026, 6, 30)
ITSELF = Principal.service("customer")


@pytest.fixture
def customer_id(app: CustomerApp) -> UUID:
    with app.work(seller()) as work:
        return create_customer(work, Profile(Person("王小明"))).id


def order(customer_id: UUID, amount: int, day: date = TODAY, **changes: object) -> OrderRow:
    values = {"order_id": new_id(), "version": 1, "status": "paid", **changes}
    return OrderRow(customer_id=customer_id, ordered_on=day, base_amount=Decimal(amount), **values)  # type: ignore[arg-type]


def hear(app: CustomerApp, *orders: OrderRow) -> None:
    with app.work(ITSELF) as work:
        apply_orders(work, orders)


def class_of(app: CustomerApp, customer_id: UUID, scheme: str = "spend_tier") -> str:
    row = app.reader.row(
        "select class as class_ from classes where customer_id = %s and scheme = %s", (customer_id, scheme)
    )
    return str(row.class_) if row else ""


def test_an_order_gives_its_customer_a_class_in_every_scheme(app: CustomerApp, customer_id: UUID) -> None:
    hear(app, order(customer_id, 100_000))
    assert class_of(app, customer_id) == "core"
    assert class_of(app, customer_id, "rfm") == "potential"


def test_a_cancelled_order_counts_nowhere(app: CustomerApp, customer_id: UUID) -> None:
    placed = order(customer_id, 100_000)
    hear(app, placed)
    hear(app, order(customer_id, 100_000, order_id=placed.order_id, version=2, status="cancelled"))
    assert class_of(app, customer_id) == ""


def test_an_older_version_of_an_order_changes_nothing(app: CustomerApp, customer_id: UUID) -> None:
    new = order(customer_id, 30_000, version=2)
    hear(app, new)
    hear(app, order(customer_id, 100_000, order_id=new.order_id, version=1))
    assert class_of(app, customer_id) == "important"


def test_an_order_that_moves_to_another_customer_counts_for_that_one_only(
    app: CustomerApp, customer_id: UUID
) -> None:
    with app.work(seller()) as work:
        other = create_customer(work, Profile(Person("李雷"))).id
    first = order(customer_id, 100_000)
    hear(app, first)
    hear(app, order(other, 100_000, order_id=first.order_id, version=2))
    assert class_of(app, customer_id) == ""
    assert class_of(app, other) == "core"


def test_any_delivery_of_the_same_facts_ends_in_the_same_class(app: CustomerApp, customer_id: UUID) -> None:
    rng = random.Random(20260630)
    ids = [new_id() for _ in range(10)]
    facts = [
        order(customer_id, 1_000 * n * version, TODAY - timedelta(n), order_id=ids[n], version=version)
        for n in range(10)
        for version in (1, 2, 3)
    ]
    for _ in range(5):
        rng.shuffle(facts)
        for start in range(0, len(facts), 7):
            hear(app, *facts[start : start + 7])
    total = app.reader.row("select sum(base_amount) as total from orders").total  # type: ignore[union-attr]
    assert total == sum(3_000 * number for number in range(10))
    assert class_of(app, customer_id) == "core"


def test_a_change_of_class_is_told_once_with_the_class_before(app: CustomerApp, customer_id: UUID) -> None:
    hear(app, order(customer_id, 30_000))
    hear(app, order(customer_id, 70_000))
    hear(app, order(customer_id, 1))
    bodies = app.reader.rows("select body from outbox where type like %s order by seq", ("%Classified",))
    told = [
        (item.get("previousClass", ""), item["class"], item["version"])
        for row in bodies
        for item in json.loads(row.body)["data"]["customers"]
        if item["scheme"] == "spend_tier"
    ]
    assert told == [("", "important", 1), ("important", "core", 2)]


def test_time_alone_turns_a_customer_dormant(app: CustomerApp, customer_id: UUID, clock: FixedClock) -> None:
    hear(app, order(customer_id, 100_000))
    clock.instant = datetime(2027, 6, 29, 15, 59, tzinfo=UTC)
    while fire_due(app, {REVIEW: review_classes}, now=clock.instant):
        pass
    assert class_of(app, customer_id) == "core"
    clock.instant = datetime(2027, 6, 29, 16, 0, tzinfo=UTC)
    fire_due(app, {REVIEW: review_classes}, now=clock.instant)
    assert class_of(app, customer_id) == "dormant"
    assert class_of(app, customer_id, "rfm") == "churn_warning"


def test_orders_of_a_customer_that_is_not_here_are_kept_for_later(app: CustomerApp) -> None:
    hear(app, order(new_id(), 100_000))
    assert app.reader.row("select count(*) as n from orders").n == 1  # type: ignore[union-attr]


def test_an_order_that_is_dated_ahead_counts_from_its_day_on(
    app: CustomerApp, customer_id: UUID, clock: FixedClock
) -> None:
    hear(app, order(customer_id, 200_000, TODAY + timedelta(1)))
    assert (class_of(app, customer_id), class_of(app, customer_id, "rfm")) == ("", "")
    assert get_purchases(app.reader, customer_id, TODAY).order_count == 0
    # Noon in Shanghai, and then the beginning of the next day.
    for instant, tier in ((NOON, ""), (datetime(2026, 6, 30, 16, 0, tzinfo=UTC), "core")):
        clock.instant = instant
        fire_due(app, {REVIEW: review_classes}, now=instant)
        assert class_of(app, customer_id) == tier
    assert get_purchases(app.reader, customer_id, TODAY + timedelta(1)).order_count == 1


def test_an_order_dated_ahead_wakes_a_dormant_customer_on_its_day(
    app: CustomerApp, customer_id: UUID, clock: FixedClock
) -> None:
    hear(app, order(customer_id, 100, TODAY - timedelta(800)))
    hear(app, order(customer_id, 50_000, TODAY + timedelta(9)))
    assert class_of(app, customer_id) == "dormant"
    assert class_of(app, customer_id, "rfm") == "churn_warning"
    clock.instant = datetime(2026, 7, 8, 16, 0, tzinfo=UTC)
    fire_due(app, {REVIEW: review_classes}, now=clock.instant)
    assert class_of(app, customer_id) == "important"
    assert class_of(app, customer_id, "rfm") == "potential"
