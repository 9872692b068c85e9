"""The whole way of a fact: outbox, relay, queue, handler, inbox; with the real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel.bus import deadletters, topology
from kernel.bus.publisher import Outgoing, Publisher
from tests.kernel.bus.conftest import (
    ORDERS,
    SUBSCRIPTION,
    USERS,
    WORK_QUEUE,
    Process,
    Store,
    all_quiet,
    dead,
    effects,
    effects_database,
    order_event,
)
from tests.support.servers import eventually

pytestmark = pytest.mark.usefixtures("running")

DEAD_QUEUE = SUBSCRIPTION.dead_queue


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with effects_database() as url:
        yield url


@pytest.fixture(scope="module")
def running(database_url: str, amqp_url: str) -> Iterator[None]:
    """One events process for all tests here; it must be able to stop in order."""
    topology.declare(amqp_url, "sales", [SUBSCRIPTION, USERS])
    process = Process(database_url, amqp_url)
    process.start()
    try:
        yield
        assert process.stop() == 0
    finally:
        process.clean_up()


@pytest.fixture
def store(store: Store, queues: str) -> Store:
    """Empty at the start of each test, like the queues."""
    store.do("truncate effects, inbox, outbox")
    store.do("update failures set left_ = 0")
    return store


def send(amqp_url: str, event_id: str, body: str, queue: str = WORK_QUEUE) -> None:
    """Puts a message on a work queue, past the relay."""
    publisher = Publisher(amqp_url)
    assert publisher.publish([Outgoing(event_id, ORDERS, body, "", queue)]).complete
    publisher.close()


def test_a_committed_fact_takes_effect_and_leaves_the_outbox(store: Store) -> None:
    event_id, body = order_event(order_id="o-7")
    store.tell([(event_id, body)])
    eventually(lambda: effects(store) == ["o-7"])
    assert store.rows("select handler, event_id from inbox") == [("sales.apply_orders", event_id)]
    eventually(lambda: store.value("select count(*) from outbox") == 0)


def test_handlers_of_one_process_hear_their_own_events(store: Store, queues: str) -> None:
    user_id, user = order_event(type=USERS.event_type, data={"users": [{"userId": "u-1"}]})
    send(queues, str(user_id), user, USERS.queue)
    store.tell([order_event()])
    eventually(lambda: effects(store) == ["o-1", "u-1"])
    assert {row[0] for row in store.rows("select handler from inbox")} == {
        "sales.apply_orders",
        "sales.follow_users",
    }


def test_fields_of_a_newer_contract_are_ignored(store: Store) -> None:
    data = {
        "orders": [{"orderId": "o-1", "version": 1, "status": "paid", "invented": {"later": 1}}],
        "more": 2,
    }
    store.tell([order_event(data=data, invented="later")])
    eventually(lambda: effects(store) == ["o-1"])


def test_a_duplicate_has_one_effect(store: Store, queues: str) -> None:
    event_id, body = order_event()
    for _ in range(5):
        send(queues, str(event_id), body)
    other = order_event(order_id="o-2")
    send(queues, str(other[0]), other[1])
    eventually(lambda: effects(store) == ["o-1", "o-2"])
    eventually(lambda: all_quiet(queues))
    assert effects(store) == ["o-1", "o-2"]
    assert dead(queues) == []


def test_a_handler_that_fails_twice_has_its_effect_once(store: Store, queues: str) -> None:
    store.do("update failures set left_ = 2")
    store.tell([order_event("flaky")])
    eventually(lambda: effects(store) == ["o-1"])
    assert store.value("select left_ from failures") == -1
    eventually(lambda: all_quiet(queues))
    assert dead(queues) == []


def test_what_fails_after_every_wait_is_dead_and_says_where(store: Store, queues: str) -> None:
    event_id, body = order_event("broken")
    store.tell([(event_id, body)])
    eventually(lambda: dead(queues))
    [letter] = dead(queues)
    assert (letter.message_id, letter.event_type, letter.attempts) == (str(event_id), ORDERS, 4)
    assert letter.reason == "RETRIES_EXHAUSTED"
    assert letter.detail.startswith("KeyError at hearer.py:")
    assert letter.handler == "sales.apply_orders"
    assert effects(store) == []
    assert all_quiet(queues)


def test_what_the_domain_refuses_is_dead_at_once(store: Store, queues: str) -> None:
    store.tell([order_event("refused")])
    eventually(lambda: dead(queues))
    [letter] = dead(queues)
    assert (letter.reason, letter.attempts) == ("ORDER_REFUSED", 0)
    assert effects(store) == []


def test_what_can_not_be_read_is_dead_at_once_and_delays_nobody(store: Store, queues: str) -> None:
    poison = [
        "no json",
        "[]",
        json.dumps({"specversion": "1.0", "type": ORDERS}),
        order_event(id="no uuid")[1],
        order_event(time="2026-01-02T03:04:05")[1],
        order_event(type="crm.sales.v1.ProductsRecorded")[1],
        order_event(data={"orders": "none"})[1],
    ]
    for number, body in enumerate(poison):
        send(queues, f"poison-{number}", body)
    store.tell([order_event()])
    eventually(lambda: effects(store) == ["o-1"])
    eventually(lambda: len(dead(queues)) == len(poison))
    assert {(letter.reason, letter.attempts) for letter in dead(queues)} == {("UNPARSABLE", 0)}


def test_an_event_whose_source_is_not_its_owner_is_dead_at_once(store: Store, queues: str) -> None:
    forged = order_event(source="/crm/customer")
    send(queues, str(forged[0]), forged[1])
    eventually(lambda: dead(queues))
    [letter] = dead(queues)
    assert (letter.reason, letter.attempts) == ("FOREIGN_SOURCE", 0)
    assert effects(store) == []


def test_a_value_that_the_database_can_not_hold_is_dead_at_once(store: Store, queues: str) -> None:
    store.tell([order_event(order_id="with\x00nul")])
    eventually(lambda: dead(queues))
    [letter] = dead(queues)
    assert (letter.reason, letter.attempts) == ("MALFORMED", 0)


def test_a_dead_letter_is_discarded_by_its_id(store: Store, queues: str) -> None:
    for number in range(3):
        send(queues, f"poison-{number}", "no json")
    eventually(lambda: len(dead(queues)) == 3)
    assert deadletters.discard(queues, DEAD_QUEUE, ["poison-1"], "never was an event") == 1
    assert sorted(letter.message_id for letter in dead(queues)) == ["poison-0", "poison-2"]


def test_a_mended_dead_letter_takes_effect_when_it_is_replayed(store: Store, queues: str) -> None:
    store.do("update failures set left_ = 5")
    event_id, body = order_event("flaky")
    store.tell([(event_id, body)])
    eventually(lambda: dead(queues))
    assert deadletters.replay(queues, DEAD_QUEUE, [str(event_id)]) == 1
    eventually(lambda: effects(store) == ["o-1"])
    assert dead(queues) == []


def test_a_replayed_event_that_had_its_effect_has_no_second_one(store: Store, queues: str) -> None:
    event_id, body = order_event()
    store.tell([(event_id, body)])
    eventually(lambda: effects(store) == ["o-1"])
    publisher = Publisher(queues)
    publisher.publish([Outgoing(str(event_id), ORDERS, body, "", DEAD_QUEUE)])
    publisher.close()
    assert deadletters.replay(queues, DEAD_QUEUE) == 1
    eventually(lambda: all_quiet(queues))
    assert effects(store) == ["o-1"]
