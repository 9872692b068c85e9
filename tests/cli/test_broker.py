"""What the broker's users may do, on the private broker of the test servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused

from crm_cli.local.stack import StackInfo
from kernel.bus import topology
from kernel.bus.broker import connect
from kernel.bus.gauges import count_messages
from kernel.bus.topology import Subscription
from tests.support.servers import eventually
from tests.support.stack import shared_servers

ORDERS = Subscription("customer", "crm.sales.v1.OrdersRecorded", "customer.apply_orders")


@pytest.fixture(scope="module")
def info() -> Iterator[StackInfo]:
    """The test servers, with what customer hears of sales."""
    info = shared_servers()
    topology.declare(info.server("rabbitmq").url, "customer", [ORDERS])
    yield info
    with connect(info.server("rabbitmq").url) as connection:
        for plan in topology.queues([ORDERS]):
            connection.channel().queue_delete(plan.name)


def publish(url: str, exchange: str, routing_key: str) -> None:
    """Publishes as the user of `url`; raises AccessRefused when they may not."""
    with connect(url) as connection:
        channel = connection.channel()
        channel.confirm_select()
        channel.basic_publish_confirm(amqp.Message("{}"), exchange, routing_key, mandatory=True)


def tell_orders(url: str) -> None:
    publish(url, "crm.sales", ORDERS.event_type)


def test_a_service_tells_its_own_facts_and_another_hears_them(info: StackInfo) -> None:
    tell_orders(info.service("sales").amqp_url)
    with connect(info.service("customer").amqp_url) as connection:
        channel = connection.channel()
        heard: list[amqp.Message] = []
        eventually(lambda: heard.append(channel.basic_get(ORDERS.queue, no_ack=True)) or heard[-1])
    assert heard[-1].body == "{}"


def test_no_service_tells_facts_of_another(info: StackInfo) -> None:
    with pytest.raises(AccessRefused):
        tell_orders(info.service("customer").amqp_url)


@pytest.mark.parametrize("queue", [ORDERS.queue, ORDERS.retry_queue("1s"), ORDERS.dead_queue])
@pytest.mark.parametrize("exchange", ["", ORDERS.retry_exchange])
def test_no_service_puts_anything_into_a_queue_of_another(info: StackInfo, exchange: str, queue: str) -> None:
    with pytest.raises(AccessRefused):
        publish(info.service("sales").amqp_url, exchange, queue)
    assert not any(count_messages(info.server("rabbitmq").url, [queue]).values())


def test_a_service_hands_on_to_its_own_queues(info: StackInfo) -> None:
    url = info.service("customer").amqp_url
    publish(url, ORDERS.retry_exchange, ORDERS.dead_queue)
    with connect(url) as connection:
        assert connection.channel().basic_get(ORDERS.dead_queue, no_ack=True).body == "{}"
    # By way of a retry queue it comes back to the work queue within a second.
    publish(url, ORDERS.retry_exchange, ORDERS.retry_queue("1s"))
    with connect(url) as connection:
        channel = connection.channel()
        heard: list[amqp.Message] = []
        eventually(lambda: heard.append(channel.basic_get(ORDERS.queue, no_ack=True)) or heard[-1])


MAKE: dict[str, Callable[[Any], object]] = {
    "exchange": lambda channel: channel.exchange_declare("crm.new", "topic", durable=True, auto_delete=False),
    "queue": lambda channel: channel.queue_declare("sales.New", durable=True, auto_delete=False),
    "binding": lambda channel: channel.queue_bind(ORDERS.queue, "crm.sales", "crm.gateway.v1.UsersRecorded"),
}


@pytest.mark.parametrize("make", MAKE)
def test_no_service_makes_or_binds_anything(info: StackInfo, make: str) -> None:
    with connect(info.service("sales").amqp_url) as connection, pytest.raises(AccessRefused):
        MAKE[make](connection.channel())


def test_no_service_reads_the_queue_of_another(info: StackInfo) -> None:
    with connect(info.service("sales").amqp_url) as connection, pytest.raises(AccessRefused):
        connection.channel().basic_get(ORDERS.queue)


def test_the_operator_counts_every_queue(info: StackInfo) -> None:
    names = [ORDERS.queue, ORDERS.dead_queue, "customer.NeverMade"]
    assert count_messages(info.server("rabbitmq").url, names).keys() == {ORDERS.queue, ORDERS.dead_queue}


def test_the_standard_user_does_not_exist(info: StackInfo) -> None:
    definitions = json.loads((Path(info.folder) / "rabbitmq" / "definitions.json").read_text())
    assert "guest" not in [user["name"] for user in definitions["users"]]
    host = info.server("rabbitmq").url.rpartition("@")[2]
    with pytest.raises(AccessRefused):
        connect(f"amqp://guest:guest@{host}")
