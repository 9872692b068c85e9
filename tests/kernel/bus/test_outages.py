"""The events process outlives its servers, and counts no outage as a failure of an event."""

from __future__ import annotations

from urllib.error import URLError
from urllib.request import urlopen

from tests.kernel.bus.conftest import Process, Store, all_quiet, dead, effects, order_event
from tests.support import servers
from tests.support.servers import eventually


def answers(process: Process, path: str) -> str:
    """What the process says of itself; empty while it says nothing."""
    try:
        with urlopen(f"http://{process.ops_address}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except URLError:
        return ""


def test_events_wait_while_the_database_is_away(
    hearer: Process, store: Store, database_url: str, queues: str
) -> None:
    orders = [f"o-{number:03}" for number in range(300)]
    store.tell([order_event(order_id=order_id) for order_id in orders])
    hearer.start()
    eventually(lambda: effects(store))
    with servers.away(database_url):
        # Longer than the first waits for a retry would take.
        eventually(lambda: "database away" in hearer.log() or "relay failed" in hearer.log())
    store.connect()
    eventually(lambda: len(effects(store)) >= len(orders), seconds=40)
    eventually(lambda: all_quiet(queues) and store.value("select count(*) from outbox") == 0)
    assert effects(store) == orders
    assert dead(queues) == []
    assert hearer.stop() == 0


def test_cut_connections_to_the_broker_lose_nothing(hearer: Process, store: Store, queues: str) -> None:
    orders = [f"o-{number:04}" for number in range(1_000)]
    hearer.start()
    for start in range(0, len(orders), 250):
        store.tell([order_event(order_id=order_id) for order_id in orders[start : start + 250]])
        eventually(lambda start=start: len(effects(store)) > start)
        servers.cut_connections(queues)
    eventually(lambda: len(effects(store)) >= len(orders), seconds=40)
    eventually(lambda: all_quiet(queues) and store.value("select count(*) from outbox") == 0)
    assert effects(store) == orders
    assert hearer.stop() == 0


def test_without_a_broker_it_is_ready_and_stops_in_order(database_url: str) -> None:
    process = Process(database_url, "amqp://guest:guest@127.0.0.1:1/none")
    process.start()
    try:
        eventually(lambda: "ready" in answers(process, "/readyz"))
        assert process.stop() == 0
    finally:
        process.clean_up()


def test_it_reports_what_operators_watch(hearer: Process, store: Store) -> None:
    hearer.start()
    store.tell([order_event()])
    handled = 'event_handler_seconds_count{handler="sales.apply_orders"} 1.0'
    published = 'events_published_total{event="crm.sales.v1.OrdersRecorded"} 1.0'
    gauge = 'dead_letters{queue="sales.OrdersRecorded.dead"} 0.0'
    lines = (handled, published, gauge, "outbox_pending 0.0")
    eventually(lambda: all(line in answers(hearer, "/metrics") for line in lines))
