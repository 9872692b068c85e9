"""A process that ends, in order or not, loses nothing and repeats nothing."""

from __future__ import annotations

from kernel.bus.gauges import count_messages
from tests.kernel.bus.conftest import WORK_QUEUE, Process, Store, all_quiet, dead, effects, order_event
from tests.support.servers import eventually


def test_a_killed_process_loses_nothing_and_repeats_nothing(
    hearer: Process, store: Store, queues: str
) -> None:
    orders = [f"o-{number:04}" for number in range(1_500)]
    for start in range(0, len(orders), 50):
        store.tell([order_event(order_id=order_id) for order_id in orders[start : start + 50]])
    for share in (0.1, 0.4, 0.7):
        hearer.start()
        eventually(lambda share=share: len(effects(store)) > share * len(orders), seconds=40)
        hearer.kill()
        assert len(effects(store)) < len(orders), "killed too late to show anything"
    hearer.start()
    eventually(lambda: len(effects(store)) >= len(orders), seconds=40)
    eventually(lambda: all_quiet(queues) and store.value("select count(*) from outbox") == 0)
    assert effects(store) == orders
    assert dead(queues) == []


def test_what_is_in_hand_at_sigterm_is_finished(hearer: Process, store: Store, queues: str) -> None:
    orders = [f"o-{number:04}" for number in range(600)]
    store.tell([order_event(order_id=order_id) for order_id in orders])
    hearer.start()
    eventually(lambda: len(effects(store)) > 50)
    assert hearer.stop() == 0
    done = store.value("select count(*) from effects")
    waiting = count_messages(queues, [WORK_QUEUE])[WORK_QUEUE] + store.value("select count(*) from outbox")
    # Nothing was done without being acknowledged, so nothing comes a second time.
    assert done + waiting == len(orders)
