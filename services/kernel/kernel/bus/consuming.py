"""One connection for all handlers of the process: consuming that outlives the broker and drains on stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import eventlet
from eventlet.semaphore import Semaphore
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message
from nameko.messaging import QueueConsumer as NamekoQueueConsumer

from kernel.bus.publisher import Publisher
from kernel.ops.logs import logger

_log = logger(__name__)

# Events that a handler of single ones may hold unacknowledged; the others wait in the queue, for any replica.
PREFETCH = 10


class Provider(Protocol):
    """A handler's side of consuming."""

    queue: Queue
    prefetch: int

    def handle_message(self, message: Message) -> None: ...


class QueueConsumer(NamekoQueueConsumer):
    """nameko's, with what it lacks: starts without a broker, keeps acknowledging while it drains."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = False
        self._gt: Any = None
        self._in_flight = 0
        self._connected = False

    def setup(self) -> None:
        # The relay and the gauges use a connection of the pool each.
        pool: int = self.container.config["app"].settings.database_pool
        self.slots = Semaphore(max(1, pool - 2))
        self.publisher = Publisher(self.amqp_uri)

    def start(self) -> None:
        """Begins to consume in the background; a broker that is down is waited for there."""
        if self._gt is None:
            self._gt = self.container.spawn_managed_thread(self._consume)

    def stop(self) -> None:
        """Takes no more events and returns when those in hand are done and acknowledged."""
        self.stopping = True
        while self._gt is not None and not self._gt.dead:
            if not self._connected and not self._in_flight:
                self._gt.kill()
            eventlet.sleep(0.05)
        self.publisher.close()

    def kill(self) -> None:
        """Stops at once: what is in hand comes again."""
        self.stopping = self.should_stop = True
        if self._gt is not None and not self._gt.dead:
            self._gt.kill()

    def unregister_provider(self, provider: Provider) -> None:
        """Handlers leave together, in `stop`."""

    def _consume(self) -> None:
        while not self.should_stop:
            try:
                self.run(safety_interval=0.25)
            except Exception as error:
                _log.warning("consuming failed, trying again", error=type(error).__name__)
                eventlet.sleep(1)

    @contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error, interval_start=0.1, interval_step=0.5, interval_max=2
            )
            self._connected = True
            try:
                yield connection
            finally:
                self._connected = False

    def get_consumers(self, consumer_cls: Any, channel: Any) -> list[Any]:
        """On every connection. Topology is the deploy step's, so nothing is declared here."""
        consumers = []
        for provider in self._providers:
            # on_message, not callbacks: those decode, and a body they can't decode they acknowledge.
            consumer = consumer_cls(
                queues=[provider.queue], on_message=partial(self._receive, provider), auto_declare=False
            )
            # Holds for what is consumed from next, so it is consumed from now.
            consumer.qos(prefetch_count=provider.prefetch)
            consumer.consume()
            consumers.append(consumer)
        self._consumers = dict(enumerate(consumers))
        return consumers

    def on_iteration(self) -> None:
        if not self.stopping:
            return
        for key in list(self._consumers):
            self._consumers.pop(key).cancel()
        if not self._in_flight:
            self.should_stop = True

    def on_connection_error(self, error: Exception, interval: float) -> None:
        _log.warning("broker not reached", error=type(error).__name__, next_try_seconds=interval)

    def _receive(self, provider: Provider, message: Message) -> None:
        self._in_flight += 1
        self.container.spawn_managed_thread(partial(self._handle, provider, message), identifier="event")

    def _handle(self, provider: Provider, message: Message) -> None:
        try:
            provider.handle_message(message)
        finally:
            self._in_flight -= 1
