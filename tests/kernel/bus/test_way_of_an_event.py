"""The whole way of a fact: outbox, relay, queue, handler, inbox; with the real servers."""

from __future__ import annotations

import pytest

from tests.kernel.bus.conftest import Process, Store, order_event
from tests.support.servers import eventually


def effects(store: Store) -> int:
    return int(store.value("select count(*) from effects"))


@pytest.fixture
def running(hearer: Process) -> Process:
    hearer.start()
    return hearer


def test_a_committed_fact_takes_effect_and_leaves_the_outbox(running: Process, store: Store) -> None:
    event_id, body = order_event(order_id="o-7")
    store.tell([(event_id, body)])
    eventually(lambda: effects(store) == 1)
    assert store.rows("select order_id, event_id from effects") == [("o-7", event_id)]
    assert store.rows("select handler, event_id from inbox") == [("sales.apply_orders", event_id)]
    eventually(lambda: store.value("select count(*) from outbox") == 0)
    assert running.stop() == 0
