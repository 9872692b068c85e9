"""What an operator watches between events: how much waits, how old it is, how much is dead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from amqp.exceptions import NotFound
from sqlalchemy import Engine, text

from kernel.bus.broker import BROKER_ERRORS, connect
from kernel.bus.topology import Subscription
from kernel.ops import metrics
from kernel.ops.logs import logger

_log = logger(__name__)

_OUTBOX = text(
    "select count(*), coalesce(extract(epoch from now() - min(recorded_at)), 0)::float8 from outbox"
)


class GaugeLoop:
    """Measures every few seconds until stopped."""

    def __init__(self, engine: Engine, amqp_url: str, subscriptions: Sequence[Subscription]) -> None:
        self._engine = engine
        self._url = amqp_url
        self._queues = [subscription.dead_queue for subscription in subscriptions]
        self._stopping = False
        self._connection: Any = None

    def stop(self) -> None:
        """Asks `run` to return; it does within a second."""
        self._stopping = True

    def run(self, interval: float = 5.0) -> None:
        """Measures each `interval` seconds; what can't be measured now keeps its last value."""
        while not self._stopping:
            for measure in (self.measure_outbox, self.measure_dead_letters):
                try:
                    measure()
                except Exception as error:
                    _log.warning("gauge not measured", gauge=measure.__name__, error=type(error).__name__)
            until = time.monotonic() + interval
            while not self._stopping and time.monotonic() < until:
                time.sleep(0.5)

    def measure_outbox(self) -> None:
        with self._engine.connect() as connection:
            pending, age = connection.execute(_OUTBOX).one()
        metrics.outbox_pending.set(pending)
        metrics.outbox_age.set(max(0.0, age))

    def measure_dead_letters(self) -> None:
        """Keeps its connection: a new one each time would fill the broker's log."""
        try:
            self._connection = self._connection or connect(self._url)
            counts = _count(self._connection, self._queues)
        except BROKER_ERRORS:
            lost, self._connection = self._connection, None
            if lost is not None:
                lost.collect(socket_timeout=1)
            raise
        for queue, count in counts.items():
            metrics.dead_letters.labels(queue).set(count)


def count_messages(amqp_url: str, queues: Sequence[str]) -> dict[str, int]:
    """How many messages wait on each queue; queues that don't exist are left out."""
    with connect(amqp_url) as connection:
        return _count(connection, queues)


def _count(connection: Any, queues: Sequence[str]) -> dict[str, int]:
    counts = {}
    for queue in queues:
        # A channel each: asking for a queue that is missing closes the channel.
        with connection.channel() as channel:
            try:
                counts[queue] = channel.queue_declare(queue, passive=True).message_count
            except NotFound:
                continue
    return counts
