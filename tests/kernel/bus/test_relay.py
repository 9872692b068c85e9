"""The relay: in order, at least once, and only what is confirmed leaves the outbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from kombu.connection import Connection
from sqlalchemy import Engine, create_engine

from kernel.bus.broker import BROKER_ERRORS
from kernel.bus.publisher import Outcome, Publisher
from kernel.bus.relay import BATCH, Relay
from tests.kernel.bus.conftest import Store, order_event

HEARD = "crm.sales.v1.OrdersRecorded"
UNHEARD = "crm.sales.v1.ProductsRecorded"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


class Listener:
    """An exchange of a test's own with one queue."""

    def __init__(self, amqp_url: str) -> None:
        self.service = f"test{uuid4().hex[:8]}"
        self._connection = Connection(amqp_url)
        self._channel = self._connection.channel()
        self._channel.exchange_declare(f"crm.{self.service}", type="topic", durable=True, auto_delete=False)
        self._channel.queue_declare(self.service, durable=True, auto_delete=False)
        self.bind(HEARD)

    def bind(self, event_type: str) -> None:
        self._channel.queue_bind(self.service, f"crm.{self.service}", event_type)

    def bodies(self) -> list[str]:
        """Takes all that has arrived."""
        found = []
        while message := self._channel.basic_get(self.service, no_ack=True):
            assert message.properties["delivery_mode"] == 2
            found.append(message.body)
        return found

    def close(self) -> None:
        self._connection.release()


@pytest.fixture
def listener(amqp_url: str) -> Iterator[Listener]:
    listener = Listener(amqp_url)
    yield listener
    listener.close()


@pytest.fixture
def publisher(amqp_url: str) -> Iterator[Publisher]:
    publisher = Publisher(amqp_url)
    yield publisher
    publisher.close()


def test_the_order_of_the_outbox_is_kept(
    engine: Engine, store: Store, listener: Listener, publisher: Publisher
) -> None:
    events = [order_event(order_id=str(number)) for number in range(BATCH + 20)]
    store.tell(events)
    relay = Relay(engine, listener.service, publisher)
    assert [relay.relay_batch(), relay.relay_batch(), relay.relay_batch()] == [BATCH, 20, 0]
    assert listener.bodies() == [body for _, body in events]
    assert store.value("select count(*) from outbox") == 0


def test_a_rolled_back_fact_is_never_told(
    engine: Engine, store: Store, listener: Listener, publisher: Publisher
) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "insert into outbox (id, type, body) values (gen_random_uuid(), 'x', '{}')"
        )
        assert Relay(engine, listener.service, publisher).relay_batch() == 0
        connection.rollback()
    assert Relay(engine, listener.service, publisher).relay_batch() == 0
    assert listener.bodies() == []


def test_several_relays_share_the_work(
    engine: Engine, store: Store, listener: Listener, amqp_url: str
) -> None:
    events = [order_event() for _ in range(3_000)]
    store.tell(events)

    def relay_all() -> None:
        publisher = Publisher(amqp_url)
        relay = Relay(engine, listener.service, publisher)
        while store_is_not_empty():
            relay.relay_batch()
        publisher.close()

    def store_is_not_empty() -> bool:
        with engine.connect() as connection:
            return bool(connection.exec_driver_sql("select exists (select from outbox)").scalar())

    threads = [threading.Thread(target=relay_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(listener.bodies()) == sorted(body for _, body in events)


def test_what_the_broker_did_not_confirm_stays(engine: Engine, store: Store, listener: Listener) -> None:
    events = [order_event() for _ in range(3)]
    store.tell(events)

    class Choosy(Publisher):
        def __init__(self) -> None:
            """Without a broker."""

        def publish(self, messages: object) -> Outcome:
            return Outcome(frozenset(), frozenset({str(events[1][0])}))

    with pytest.raises(ConnectionError):
        Relay(engine, listener.service, Choosy()).relay_batch()
    assert store.rows("select id from outbox") == [(events[1][0],)]


def test_a_broker_that_is_away_costs_nothing(engine: Engine, store: Store) -> None:
    store.tell([order_event()])
    relay = Relay(engine, "sales", Publisher("amqp://guest:guest@127.0.0.1:1/"))
    with pytest.raises(BROKER_ERRORS):
        relay.relay_batch()
    assert store.value("select count(*) from outbox") == 1


def test_an_event_that_nobody_hears_stays_and_blocks_nobody(
    engine: Engine, store: Store, listener: Listener, publisher: Publisher
) -> None:
    relay = Relay(engine, listener.service, publisher)
    store.tell([order_event() for _ in range(BATCH)], event_type=UNHEARD)
    heard = [order_event() for _ in range(3)]
    store.tell(heard)
    assert relay.relay_batch() == BATCH
    assert relay.relay_batch() == len(heard), "the unheard rest while the others go"
    assert listener.bodies() == [body for _, body in heard]
    assert store.value("select count(*) from outbox") == BATCH


def test_an_unheard_event_is_told_when_somebody_listens(
    engine: Engine, store: Store, listener: Listener, publisher: Publisher
) -> None:
    store.tell([order_event()], event_type=UNHEARD)
    Relay(engine, listener.service, publisher).relay_batch()
    assert store.value("select count(*) from outbox") == 1
    listener.bind(UNHEARD)
    # A new relay has not learnt to let it rest.
    Relay(engine, listener.service, publisher).relay_batch()
    assert len(listener.bodies()) == 1
    assert store.value("select count(*) from outbox") == 0


def test_an_event_declared_as_heard_by_nobody_yet_leaves_the_outbox(
    engine: Engine, store: Store, listener: Listener, publisher: Publisher
) -> None:
    store.tell([order_event()], event_type=UNHEARD)
    assert Relay(engine, listener.service, publisher, {UNHEARD}).relay_batch() == 1
    assert store.value("select count(*) from outbox") == 0
