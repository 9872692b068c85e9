"""A broker's virtual host for the session, a database and an events process for a test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from kombu.connection import Connection

from kernel.bus import deadletters, topology
from kernel.bus.gauges import count_messages
from kernel.pure.ids import new_id
from tests.support import servers

HEARER = Path(__file__).with_name("hearer.py")
ORDERS = "crm.sales.v1.OrdersRecorded"
WORK_QUEUE = "sales.OrdersRecorded"
USERS = topology.Subscription("sales", "crm.gateway.v1.UsersRecorded", "sales.follow_users")
TEAMS = topology.Subscription("sales", "crm.gateway.v1.TeamsRecorded", "sales.follow_teams")
SUBSCRIPTION = topology.Subscription("sales", ORDERS, "sales.apply_orders")


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """A virtual host whose retry queues wait only moments."""
    with servers.virtual_host({"1s": 50, "10s": 60, "1m": 70, "10m": 80}) as url:
        yield url


@pytest.fixture
def queues(amqp_url: str) -> str:
    """The topology of the hearer, all queues empty; answers the broker's URL."""
    topology.declare(amqp_url, "sales", [SUBSCRIPTION, USERS, TEAMS])
    with Connection(amqp_url) as connection:
        for plan in topology.queues([SUBSCRIPTION, USERS, TEAMS]):
            connection.channel().queue_purge(plan.name)
    return amqp_url


@contextmanager
def effects_database() -> Iterator[str]:
    """A database with the kernel's tables and what the hearer needs."""
    with servers.database(("0001_kernel",)) as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table effects (order_id text not null, event_id uuid not null)")
            connection.execute("create table failures (left_ integer not null)")
            connection.execute("insert into failures values (0)")
        yield url


@pytest.fixture
def database_url() -> Iterator[str]:
    with effects_database() as url:
        yield url


class Store:
    """Short statements on a test's database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def connect(self) -> None:
        """Connects again, after the database was away."""
        self._connection.close()
        self._connection = psycopg.connect(self._url, autocommit=True)

    def rows(self, statement: str, *values: object) -> list[Any]:
        return self._connection.execute(statement.encode(), values).fetchall()

    def do(self, statement: str, *values: object) -> None:
        self._connection.execute(statement.encode(), values)

    def value(self, statement: str, *values: object) -> Any:
        return self.rows(statement, *values)[0][0]

    def tell(self, bodies: Sequence[tuple[UUID, str]], event_type: str = ORDERS) -> None:
        """Commits facts to the outbox, in one transaction."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                "insert into outbox (id, type, body) values (%s, %s, %s)",
                [(event_id, event_type, body) for event_id, body in bodies],
            )

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


class Process:
    """The hearer as a process of its own."""

    def __init__(self, database_url: str, amqp_url: str) -> None:
        self.ops_address = f"127.0.0.1:{servers.free_port()}"
        self._environment = servers.environment(database_url, amqp_url, CRM_OPS_ADDRESS=self.ops_address)
        self._log = tempfile.NamedTemporaryFile("w", suffix=".log")  # noqa: SIM115  closed by clean_up
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._running = subprocess.Popen(
            [sys.executable, str(HEARER)], env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def log(self) -> str:
        """All that it has written so far."""
        return Path(self._log.name).read_text("utf-8")

    def kill(self) -> None:
        """kill -9."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(timeout=25)

    def clean_up(self) -> None:
        if self._running is not None and self._running.poll() is None:
            self.kill()
        # Shown with a failing test.
        sys.stdout.write(self.log()[-20_000:])
        self._log.close()


@pytest.fixture
def hearer(database_url: str, queues: str) -> Iterator[Process]:
    """Not started yet."""
    process = Process(database_url, queues)
    yield process
    process.clean_up()


def order_event(status: str = "paid", order_id: str = "o-1", **envelope: object) -> tuple[UUID, str]:
    """The id and body of an event about one order."""
    event_id = new_id()
    fields: dict[str, object] = {
        "specversion": "1.0",
        "id": str(event_id),
        "type": ORDERS,
        "source": f"/crm/{str(envelope.get('type', ORDERS)).split('.')[1]}",
        "subject": "",
        "time": "2026-01-02T03:04:05.678Z",
        "traceparent": "",
        "data": {"orders": [{"orderId": order_id, "version": 1, "status": status}]},
    }
    return event_id, json.dumps(fields | envelope)


def effects(store: Store) -> list[str]:
    return [row[0] for row in store.rows("select order_id from effects order by order_id")]


def dead(amqp_url: str) -> list[deadletters.DeadLetter]:
    return deadletters.list_dead(amqp_url, SUBSCRIPTION.dead_queue)


def all_quiet(amqp_url: str) -> bool:
    """Whether no message waits anywhere but on the dead-letter queue."""
    retry_queues = [SUBSCRIPTION.retry_queue(delay) for delay in ("1s", "10s", "1m", "10m")]
    return not any(count_messages(amqp_url, [WORK_QUEUE, *retry_queues]).values())
