"""From the commit of a fact in one service to the commit of its effect in another, at a steady rate."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from statistics import quantiles
from uuid import UUID

import psycopg

from kernel.pure.ids import new_id
from sales.domain.events import OrdersRecorded, RecordedOrder
from tests.bench.figures import Figure
from tests.bench.world import World

RATES = (200, 1000)
_WRITERS = 4
# Seconds that the last effects may take.
_PATIENCE = 60.0
# Seconds within which the listener listens.
_UNTIL_HEARD = 0.5
# Told to whoever listens when the transaction that applied an event commits.
_TELL = """
    create or replace function app.bench_tell() returns trigger language plpgsql as $$
    begin perform pg_notify('bench', new.event_id::text); return null; end $$;
    create or replace trigger bench_tell after insert on app.inbox
        for each row execute function app.bench_tell();
"""
_TELL_NO_MORE = "drop trigger bench_tell on app.inbox; drop function app.bench_tell()"
_FACT = "insert into app.outbox (id, type, body) values (%s, %s, %s)"


# Says one event, named by its id, in a transaction of its own.
Tell = Callable[[psycopg.Connection, str], object]


def bench(world: World, seconds: float, rates: Sequence[int] = RATES) -> list[Figure]:
    """Facts are orders of known customers, one a transaction; the effect is the projection of the order and
    the customer's classes. The limit is the same commit heard directly."""
    producer = world.info.service("sales").database_owner_url
    consumer = world.info.service("customer").database_owner_url
    customers = [person.id for reach in world.reach for person in reach]
    figures = []
    for rate in rates:
        direct50, direct99 = _percentiles(_lags(consumer, consumer, rate, seconds, _tell_directly))
        with psycopg.connect(consumer, autocommit=True) as database:
            database.execute(_TELL.encode())
            try:
                lags = _lags(producer, consumer, rate, seconds, _fact_teller(customers))
            finally:
                database.execute(_TELL_NO_MORE)
        p50, p99 = _percentiles(lags)
        figures += [
            Figure(f"lag_p50_{rate}", p50, "ms", "commit heard directly", direct50),
            Figure(f"lag_p99_{rate}", p99, "ms", "commit heard directly", direct99),
        ]
    return figures


def _percentiles(lags: Sequence[float]) -> tuple[float, float]:
    """Milliseconds that half of them, and 99 of 100, do not exceed."""
    parts = quantiles(lags, n=100)
    return parts[49] * 1000, parts[98] * 1000


def _lags(producer: str, consumer: str, rate: int, seconds: float, tell: Tell) -> list[float]:
    """Seconds from commit to word of it, of all events but those of the first second."""
    ids = [str(new_id()) for _ in range(int(rate * seconds))]
    told: dict[str, float] = {}
    heard: dict[str, float] = {}
    threads = [threading.Thread(target=_listen, args=(consumer, set(ids), heard, seconds + _PATIENCE))]
    threads += [
        threading.Thread(target=_write, args=(producer, ids[place::_WRITERS], _WRITERS / rate, tell, told))
        for place in range(_WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(heard) < len(ids):
        raise RuntimeError(f"{len(ids) - len(heard)} of {len(ids)} events had no effect in time")
    begin = min(told.values()) + 1
    return [heard[one] - at for one, at in told.items() if at > begin]


def _listen(url: str, wanted: set[str], heard: dict[str, float], patience: float) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("listen bench")
        end = time.monotonic() + patience
        while wanted and time.monotonic() < end:
            for word in connection.notifies(timeout=0.5, stop_after=1):
                heard[word.payload] = time.perf_counter()
                wanted.discard(word.payload)


def _write(url: str, ids: Sequence[str], gap: float, tell: Tell, told: dict[str, float]) -> None:
    """At a steady rate, however long a single one takes."""
    with psycopg.connect(url, autocommit=True) as connection:
        time.sleep(_UNTIL_HEARD)
        due = time.perf_counter()
        for one in ids:
            time.sleep(max(0.0, due - time.perf_counter()))
            due += gap
            tell(connection, one)
            told[one] = time.perf_counter()


def _tell_directly(connection: psycopg.Connection, event_id: str) -> None:
    connection.execute("select pg_notify('bench', %s)", (event_id,))


def _fact_teller(customers: Sequence[str]) -> Tell:
    rng = random.Random(len(customers))

    def tell(connection: psycopg.Connection, event_id: str) -> None:
        order = RecordedOrder(
            order_id=new_id(),
            version=1,
            customer_id=UUID(rng.choice(customers)),
            ordered_on=datetime.now(UTC).date(),
            status="paid",
            base_amount=Decimal(rng.randrange(100, 100_000)),
            base_currency="CNY",
        )
        event = OrdersRecorded((order,))
        envelope = {
            "specversion": "1.0",
            "id": event_id,
            "type": event.type,
            "source": "/crm/sales",
            "time": datetime.now(UTC).isoformat(),
            "data": event.data(),
        }
        connection.execute(_FACT, (event_id, event.type, json.dumps(envelope)))

    return tell
