"""Deciding the classes of all customers anew when the thresholds have changed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import psycopg

from tests.bench.figures import Figure
from tests.bench.world import World
from tests.support.servers import eventually

_PATIENCE = 600.0
# Whoever has bought within the year gets another tier.
_OTHER_BANDS = """
    insert into app.schemes (id, version, title, rules)
    select id, max(version) + 1, max(title),
           '{"bands": [["important", "100000"], ["basic", "30000"], ["core", "0"]]}'
    from app.schemes where id = 'spend_tier' group by id
"""
_CHANGED = "select count(distinct customer_id) from app.class_changes where at >= %s"
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
    """The new bands take effect by the timers that the service sets for every customer itself; each change is
    written, kept in the history and told."""
    with psycopg.connect(world.info.service("customer").database_owner_url, autocommit=True) as database:
        began = time.perf_counter()
        sums = database.execute(_SUMS).rowcount
        limit = sums / (time.perf_counter() - began)
        database.execute("drop table app.bench_sums")
        database.execute(_OTHER_BANDS)
        since = datetime.now(UTC)
        began = time.perf_counter()
        customers = database.execute(_ALL_DUE).rowcount
        eventually(lambda: database.execute(_LEFT).fetchone() == (0,), _PATIENCE)
        rate = customers / (time.perf_counter() - began)
        [changed] = database.execute(_CHANGED, (since,)).fetchone() or (0,)
    return [
        Figure("retier_all", rate, "customers/s", "sums in one statement", limit),
        Figure("retier_all_changed", changed, "customers", "all customers", customers),
    ]
