"""The projection of whose customer is whose: any order of delivery ends in the newest state."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from sales.usecases.ports import CustomerRow
from sales.wiring import SalesApp

CUSTOMERS = [new_id() for _ in range(3)]
OWNERS = {version: new_id() for version in range(1, 6)}
told = st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(sorted(OWNERS)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(told, max_size=5), min_size=1, max_size=5))
def test_the_newest_state_stays_whatever_the_order_of_delivery(
    app: SalesApp, facts: list[list[tuple[object, int]]]
) -> None:
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate customers")
    for items in facts:
        with app.work(Principal.service("sales")) as work:
            work.customers.apply(
                CustomerRow(customer, version, OWNERS[version]) for customer, version in items
            )  # type: ignore[misc]
    greatest: dict[object, int] = {}
    for customer, version in (item for items in facts for item in items):
        greatest[customer] = max(version, greatest.get(customer, 0))
    rows = app.reader.rows("select customer_id, version, owner_id from customers")
    assert {row.customer_id: (row.version, row.owner_id) for row in rows} == {
        customer: (version, OWNERS[version]) for customer, version in greatest.items()
    }
