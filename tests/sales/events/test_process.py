"""python -m sales.events as a process of its own, on a real broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from kernel.pure.grants import Principal
from sales.usecases.record_orders import record_orders
from sales.wiring import SalesApp
from tests.contracts.examples import example, promised, same_shape
from tests.sales.drafts import order
from tests.support import servers
from tests.support.servers import eventually

HEARD = ("crm.customer.v1.CustomersRecorded", "crm.gateway.v1.UsersRecorded", "crm.gateway.v1.TeamsRecorded")
TOLD = "crm.sales.v1.OrdersRecorded"


@pytest.fixture
def amqp_url() -> Iterator[str]:
    with servers.virtual_host() as url:
        yield url


@contextmanager
def running(environment: dict[str, str]) -> Iterator[None]:
    """The process, which must end with exit code 0 when it is asked to."""
    process = subprocess.Popen([sys.executable, "-m", "sales.events"], env=environment)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=25) == 0
    finally:
        process.kill()
        process.wait()


def count(app: SalesApp, table: str) -> int:
    [row] = app.reader.rows("select count(*) as n from " + table)
    return int(row.n)


def test_it_hears_what_others_promised_and_tells_what_it_promised(app: SalesApp, amqp_url: str) -> None:
    url = app.settings.database_url.get_secret_value()
    keyring = app.settings.keyring_url.get_secret_value()
    environment = servers.environment(url, amqp_url, CRM_KEYRING_URL=keyring)
    subprocess.run([sys.executable, "-m", "sales.events", "declare"], env=environment, check=True, timeout=60)
    listener = Queue("listener", Exchange("crm.sales", type="topic", durable=True), routing_key=TOLD)
    with Connection(amqp_url) as connection, running(environment):
        heard: list[dict[str, Any]] = []
        queue = connection.SimpleQueue(listener)
        for event_type in HEARD:
            exchange = Exchange(f"crm.{event_type.split('.')[1]}", type="topic", durable=True)
            connection.Producer().publish(
                json.dumps(example("sales", event_type)), exchange=exchange, routing_key=event_type
            )
        with app.work(Principal.service("sales")) as work:
            record_orders(work, [order()])
        heard.append(json.loads(queue.get(timeout=20).body))
        eventually(lambda: count(app, "customers") == count(app, "staff") == count(app, "teams") == 2)
        eventually(lambda: count(app, "outbox") == 0)
        queue.close()
    for promise in promised(TOLD):
        same_shape(heard[0], promise)
    assert count(app, "inbox") == len(HEARD)
