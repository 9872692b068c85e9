"""Deciding the classes of all customers anew, as when the thresholds change."""

from __future__ import annotations

import time

import psycopg

from tests.bench.figures import Figure
from tests.bench.world import World
from tests.support.servers import eventually

_PATIENCE = 600.0
# A timer a customer, due now: what the service itself sets for the day on which time alone may matter.
_ALL_DUE = """
    insert into app.timers (kind, key, due_at)
    select 'review_classes', id::text, now() from app.customers where survivor_id is null
    on conflict (kind, key) do update set due_at = excluded.due_at
"""
_LEFT = "select count(*) from app.timers where due_at <= now()"
# The same sums, written once for each customer, as one statement.
_SUMS = """
    create table app.bench_sums as
    select c.id, count(*) as orders, sum(o.base_amount) as total, min(o.ordered_on) as first_on,
           max(o.ordered_on) as last_on,
           count(*) filter (where o.ordered_on > current_date - 365) as year_orders,
           sum(o.base_amount) filter (where o.ordered_on > current_date - 365) as year_total
    from app.customers c left join app.orders o on o.customer_id = c.id
    where c.survivor_id is null group by c.id
"""


def bench(world: World) -> list[Figure]:
    with psycopg.connect(world.info.service("customer").database_owner_url, autocommit=True) as database:
        began = time.perf_counter()
        sums = database.execute(_SUMS).rowcount
        limit = sums / (time.perf_counter() - began)
        database.execute("drop table app.bench_sums")
        began = time.perf_counter()
        customers = database.execute(_ALL_DUE).rowcount
        eventually(lambda: database.execute(_LEFT).fetchone() == (0,), _PATIENCE)
        rate = customers / (time.perf_counter() - began)
    return [Figure("retier_all", rate, "customers/s", "sums in one statement", limit)]
