"""Topology: names, arguments, and declaring it on a real broker."""

from __future__ import annotations

import re

import pytest

from kernel.bus.gauges import count_messages
from kernel.bus.topology import DELAYS, POLICIES, Subscription, check, declare, queues

ORDERS = Subscription("customer", "crm.sales.v1.OrdersRecorded", "customer.apply_orders")


def test_a_subscription_has_a_work_queue_four_retry_queues_and_a_dead_one() -> None:
    assert [plan.name for plan in queues([ORDERS])] == [
        "customer.OrdersRecorded.dead",
        "customer.OrdersRecorded",
        "customer.OrdersRecorded.retry-1s",
        "customer.OrdersRecorded.retry-10s",
        "customer.OrdersRecorded.retry-1m",
        "customer.OrdersRecorded.retry-10m",
    ]


def test_the_work_queue_hears_its_producer_and_lets_go_to_the_dead_only() -> None:
    [work] = [plan for plan in queues([ORDERS]) if plan.exchange]
    assert (work.exchange, work.routing_key) == ("crm.sales", "crm.sales.v1.OrdersRecorded")
    assert work.arguments == {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "crm.retry.customer",
        "x-dead-letter-routing-key": "customer.OrdersRecorded.dead",
    }


def test_retry_queues_give_back_to_the_work_queue() -> None:
    retries = [plan for plan in queues([ORDERS]) if ".retry-" in plan.name]
    assert {plan.dead_letters_to for plan in retries} == {"customer.OrdersRecorded"}


def test_each_queue_but_the_dead_one_has_exactly_the_policy_meant_for_it() -> None:
    def policies(queue: str) -> list[str]:
        return [policy.name for policy in POLICIES if re.search(policy.pattern, queue)]

    assert policies(ORDERS.queue) == ["crm-work"]
    assert policies(ORDERS.dead_queue) == []
    for delay in DELAYS:
        assert policies(ORDERS.retry_queue(delay)) == [f"crm-retry-{delay}"]


def test_two_handlers_of_one_event_are_refused() -> None:
    with pytest.raises(ValueError):
        check([ORDERS, Subscription("customer", ORDERS.event_type, "customer.other")])


def test_declaring_twice_and_in_any_order_is_no_error(amqp_url: str) -> None:
    mine = Subscription("marketing", "crm.lottery.v1.PrizesDrawn", "marketing.note_prizes")
    # The consumer comes first and makes the producer's exchange.
    declare(amqp_url, "marketing", [mine])
    declare(amqp_url, "lottery", [])
    declare(amqp_url, "marketing", [mine])
    counts = count_messages(amqp_url, [plan.name for plan in queues([mine])])
    assert set(counts.values()) == {0}
    assert len(counts) == 6
