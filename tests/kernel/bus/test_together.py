"""Events that wait at the same time are applied in one transaction; one that can't be fails alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from kernel.bus import deadletters, headers
from kernel.bus.gauges import count_messages
from kernel.bus.publisher import Outgoing, Publisher
from tests.kernel.bus.conftest import TEAMS, USERS, Process, Store, effects, order_event
from tests.support.servers import eventually

PEOPLE = [f"u-{number:02}" for number in range(40)]


@pytest.fixture
def publisher(queues: str) -> Iterator[Publisher]:
    publisher = Publisher(queues)
    yield publisher
    publisher.close()


def user_event(user_id: str) -> tuple[UUID, str]:
    data = {"users": [{"userId": user_id, "version": 1}]}
    return order_event(type=USERS.event_type, data=data)


def put(publisher: Publisher, told: list[tuple[UUID, str]], attempts: int = 0) -> None:
    """On the work queue, all of them before anybody hears one; they have failed so often before."""
    notes = {headers.ATTEMPT: attempts} if attempts else {}
    publisher.publish(
        [Outgoing(str(event_id), USERS.event_type, body, "", USERS.queue, notes) for event_id, body in told]
    )


def all_applied(store: Store, amqp_url: str, expected: list[str]) -> bool:
    return effects(store) == expected and not any(count_messages(amqp_url, [USERS.queue]).values())


def test_events_that_wait_are_one_transaction(
    hearer: Process, store: Store, queues: str, publisher: Publisher
) -> None:
    put(publisher, [user_event(user_id) for user_id in PEOPLE])
    hearer.start()
    eventually(lambda: all_applied(store, queues, PEOPLE))
    assert store.value("select count(*) from inbox") == len(PEOPLE)
    assert store.value("select count(distinct xmin::text) from inbox") < len(PEOPLE) / 2


def test_a_stream_of_events_gathers_where_the_handler_is_patient(
    hearer: Process, store: Store, publisher: Publisher
) -> None:
    hearer.start()
    for team in PEOPLE:
        data = {"teams": [{"teamId": team, "version": 1}]}
        event_id, body = order_event(type=TEAMS.event_type, data=data)
        publisher.publish([Outgoing(str(event_id), TEAMS.event_type, body, "", TEAMS.queue)])
        time.sleep(0.01)
    eventually(lambda: effects(store) == PEOPLE)
    assert store.value("select count(distinct xmin::text) from inbox") < len(PEOPLE) / 2


def test_an_event_that_comes_twice_at_once_has_one_effect(
    hearer: Process, store: Store, queues: str, publisher: Publisher
) -> None:
    put(publisher, [user_event("u-1")] * 3 + [user_event("u-2")])
    hearer.start()
    eventually(lambda: all_applied(store, queues, ["u-1", "u-2"]))


def test_one_that_is_refused_is_dead_and_the_others_are_applied(
    hearer: Process, store: Store, queues: str, publisher: Publisher
) -> None:
    broken = user_event("broken")
    put(publisher, [*(user_event(user_id) for user_id in PEOPLE[:9]), broken, user_event(PEOPLE[9])])
    hearer.start()
    eventually(lambda: all_applied(store, queues, PEOPLE[:10]))
    eventually(lambda: len(deadletters.list_dead(queues, USERS.dead_queue)) == 1)
    [dead] = deadletters.list_dead(queues, USERS.dead_queue)
    assert dead.message_id == str(broken[0])


def test_one_that_failed_before_is_tried_alone(
    hearer: Process, store: Store, queues: str, publisher: Publisher
) -> None:
    put(publisher, [user_event(user_id) for user_id in PEOPLE[:5]])
    put(publisher, [user_event("broken")], attempts=1)
    put(publisher, [user_event(user_id) for user_id in PEOPLE[5:10]])
    hearer.start()
    eventually(lambda: all_applied(store, queues, PEOPLE[:10]))
    eventually(lambda: len(deadletters.list_dead(queues, USERS.dead_queue)) == 1)
    assert "events not applied together" not in hearer.log()
