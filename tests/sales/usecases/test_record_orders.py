"""The ERP tells its orders: on a real database, through the use case."""

from __future__ import annotations

import json
import random
import threading
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from sales.domain.erp_record import Outcome, Refused, Stored, Unchanged
from sales.domain.order import OrderDraft
from sales.usecases.record_orders import record_orders
from sales.wiring import SalesApp
from tests.contracts.examples import promised, same_shape
from tests.sales.drafts import any_id, line, money, order
from tests.support.servers import eventually

ERP = Principal.service("sales")


def send(app: SalesApp, *drafts: OrderDraft) -> list[Outcome]:
    with app.work(ERP) as work:
        return record_orders(work, drafts)


def held(app: SalesApp, value: str = "A-1") -> Any:
    row = app.reader.row("select * from orders where value = %(value)s", {"value": value})
    assert row is not None
    return row


def told(app: SalesApp) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in app.reader.rows("select body from outbox order by seq")]


def test_a_new_order_is_stored_and_told(app: SalesApp) -> None:
    customer = any_id()
    lines = (line("1000.00", quantity="2.5"), line("177.00", product="未知产品"))
    [outcome] = send(app, order(customer_id=customer, lines=lines, refunded=money("77.00")))
    row = held(app)
    assert outcome == Stored(row.id)
    assert (row.version, str(row.total), str(row.refunded), str(row.base_amount)) == (
        1,
        "1177.00",
        "77.00",
        "1100.00",
    )
    assert row.lines == [["P-1", "2.5", "1000.00"], ["未知产品", "1", "177.00"]]
    [envelope] = told(app)
    assert envelope["data"]["orders"] == [
        {
            "orderId": str(row.id),
            "version": 1,
            "customerId": customer,
            "orderedOn": "2026-03-01",
            "status": "paid",
            "baseAmount": "1100.00",
            "baseCurrency": "CNY",
        }
    ]


def test_what_is_told_is_what_was_promised(app: SalesApp) -> None:
    foreign = order(value="A-2", total=money("9", "JPY"), exchange_rate="0.048", rate_on="2026-03-01")
    send(app, order(), foreign, order(value="A-3", status="cancelled", refunded=money("1177.00")))
    [envelope] = told(app)
    promises = promised("crm.sales.v1.OrdersRecorded")
    assert promises
    for promise in promises:
        same_shape(envelope, promise)


def test_an_order_in_another_currency_keeps_its_rate(app: SalesApp) -> None:
    send(app, order(total=money("100.00", "USD"), exchange_rate="7.1234", rate_on="2026-02-28"))
    row = held(app)
    assert (str(row.base_amount), row.base_currency) == ("712.34", "CNY")
    assert (str(row.exchange_rate), row.rate_on.isoformat()) == ("7.1234", "2026-02-28")


def test_the_same_order_again_changes_nothing_and_tells_nothing(app: SalesApp) -> None:
    [first] = send(app, order())
    [second] = send(app, order())
    assert isinstance(first, Stored)
    assert second == Unchanged(first.id)
    assert held(app).version == 1
    assert len(told(app)) == 1


def test_an_older_version_changes_nothing(app: SalesApp) -> None:
    [stored] = send(app, order(source_version=5, status="delivered"))
    [late] = send(app, order(source_version=4, status="placed"))
    assert isinstance(stored, Stored)
    assert late == Unchanged(stored.id)
    assert held(app).status == "delivered"


def test_a_newer_version_replaces_the_order_and_raises_our_counter(app: SalesApp) -> None:
    [first] = send(app, order(source_version=1, status="placed"))
    [second] = send(app, order(source_version=9, status="paid", refunded=money("177.00")))
    row = held(app)
    assert second == first
    assert (row.version, row.source_version, row.status, str(row.base_amount)) == (2, 9, "paid", "1000.00")
    assert [envelope["data"]["orders"][0]["version"] for envelope in told(app)] == [1, 2]


def test_of_one_order_twice_in_a_batch_the_newest_wins_and_both_are_answered(app: SalesApp) -> None:
    outcomes = send(
        app, order(source_version=1), order(source_version=3, status="delivered"), order(source_version=2)
    )
    row = held(app)
    assert outcomes == [Unchanged(row.id), Stored(row.id), Unchanged(row.id)]
    assert (row.version, row.source_version, row.status) == (1, 3, "delivered")


def test_the_same_value_of_another_source_is_another_order(app: SalesApp) -> None:
    first, second = send(app, order(), order(source="shop"))
    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    assert first.id != second.id


def test_a_wrong_order_is_refused_by_itself(app: SalesApp) -> None:
    outcomes = send(app, order(value="A-1"), order(value="A-2", total=money("1.234")), order(value="A-3"))
    assert isinstance(outcomes[0], Stored)
    assert isinstance(outcomes[2], Stored)
    refused = outcomes[1]
    assert isinstance(refused, Refused)
    assert [(v.field, v.rule) for v in refused.error.violations] == [
        ("orders[1].total.amount", "AMOUNT_FORMAT")
    ]
    assert len(told(app)[0]["data"]["orders"]) == 2


def test_a_batch_of_wrong_orders_only_stores_and_tells_nothing(app: SalesApp) -> None:
    [outcome] = send(app, order(customer_id="nobody"))
    assert isinstance(outcome, Refused)
    assert not told(app)
    assert app.reader.row("select count(*) as n from audit").n == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [0, 501])
def test_a_batch_holds_1_to_500_orders(app: SalesApp, count: int) -> None:
    with pytest.raises(Invalid) as refused:
        send(app, *[order()] * count)
    assert [(v.field, v.rule) for v in refused.value.violations] == [("orders", "BATCH_SIZE")]


def test_a_full_batch_is_one_fact(app: SalesApp) -> None:
    outcomes = send(app, *(order(value=f"A-{number}") for number in range(500)))
    assert {type(outcome) for outcome in outcomes} == {Stored}
    [envelope] = told(app)
    assert len(envelope["data"]["orders"]) == 500


def test_a_batch_is_audited_with_the_ids_it_changed(app: SalesApp) -> None:
    first, second = send(app, order(value="A-1"), order(value="A-2"))
    row = app.reader.row("select * from audit")
    assert row is not None
    assert (row.action, row.object_type, row.actor_id) == ("record", "order", "sales")
    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    assert {UUID(text) for text in row.facts["ids"]} == {first.id, second.id}


versions = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=versions, second=versions, cut=st.integers(1, 5))
def test_any_order_of_delivery_with_any_repetition_ends_with_the_greatest_version(
    app: SalesApp, first: list[int], second: list[int], cut: int
) -> None:
    source = any_id()
    feed = [order(source=source, value="A", source_version=v, total=money(f"{v}.00")) for v in first]
    feed += [order(source=source, value="B", source_version=v, total=money(f"{v}.50")) for v in second]
    random.Random(len(feed)).shuffle(feed)
    outcomes = [outcome for at in range(0, len(feed), cut) for outcome in send(app, *feed[at : at + cut])]
    rows = app.reader.rows(
        "select * from orders where source = %(source)s order by value", {"source": source}
    )
    assert [(row.source_version, str(row.total)) for row in rows] == [
        (max(first), f"{max(first)}.00"),
        (max(second), f"{max(second)}.50"),
    ]
    # Our counter says how often an order changed: so often it was answered as stored, and told.
    for row in rows:
        assert outcomes.count(Stored(row.id)) == row.version


def test_concurrent_batches_with_the_same_orders_neither_deadlock_nor_lose(app: SalesApp) -> None:
    numbers = list(range(200))
    outcomes: list[Outcome] = []
    failures: list[Exception] = []

    def feed(seed: int) -> None:
        shuffled = random.Random(seed)
        for version in range(1, 5):
            shuffled.shuffle(numbers_of := list(numbers))
            try:
                outcomes.extend(
                    send(app, *(order(value=f"A-{n}", source_version=version) for n in numbers_of))
                )
            except Exception as failure:
                failures.append(failure)

    threads = [threading.Thread(target=feed, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    rows = app.reader.rows("select id, version, source_version from orders")
    assert len(rows) == 200
    assert {row.source_version for row in rows} == {4}
    stored = sum(isinstance(outcome, Stored) for outcome in outcomes)
    assert stored == sum(row.version for row in rows)


def test_an_order_inserted_by_another_in_the_meantime_is_answered_with_its_id(app: SalesApp) -> None:
    """The statement began before the other transaction committed, so it does not see the other's row."""
    done: list[Outcome] = []
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with app.work(ERP) as other:
        [first] = record_orders(other, [order(source_version=2)])

        thread = threading.Thread(target=lambda: done.extend(send(app, order(source_version=1))))
        thread.start()
        eventually(lambda: app.reader.row(waiting))
    thread.join()
    assert isinstance(first, Stored)
    assert done == [Unchanged(first.id)]


def test_ids_are_our_own(app: SalesApp) -> None:
    [outcome] = send(app, order())
    assert isinstance(outcome, Stored)
    assert outcome.id.version == new_id().version == 7
