"""Publishing that is sure: persistent, mandatory, confirmed; a whole batch costs one round trip."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import amqp

from kernel.bus.broker import BROKER_ERRORS, connect

CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True)
class Outgoing:
    """A message to publish; `id` stays the same on every copy of it."""

    id: str
    event_type: str
    body: str | bytes
    exchange: str
    routing_key: str
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Ids of the messages that did not arrive; all others are confirmed."""

    # No queue wants it.
    unroutable: frozenset[str]
    # A queue is full or has no quorum; try again.
    refused: frozenset[str]

    @property
    def complete(self) -> bool:
        return not self.unroutable and not self.refused


class Publisher:
    """One connection, opened when needed and again after it broke. Threads take turns."""

    def __init__(self, amqp_url: str, timeout: float = 10.0) -> None:
        """`timeout`: seconds to wait for the confirms of a batch; a half-open connection shows in it."""
        self._url = amqp_url
        self._timeout = timeout
        self._turn = threading.Lock()
        self._connection: Any = None
        self._confirms: _Confirms | None = None

    def publish(self, messages: Sequence[Outgoing]) -> Outcome:
        """Publishes all and waits until the broker has answered for each.

        Raises one of BROKER_ERRORS when it has not; then any part of them may have arrived.
        """
        with self._turn:
            try:
                confirms = self._confirms or self._open()
                for message in messages:
                    confirms.send(message)
                return confirms.wait(self._timeout)
            except BaseException:
                # The channel may hold half of a batch: never use it again.
                self._drop()
                raise

    def close(self) -> None:
        """Ends the connection, if there is one."""
        with self._turn:
            self._drop()

    def _open(self) -> _Confirms:
        self._connection = connect(self._url)
        self._confirms = _Confirms(self._connection)
        return self._confirms

    def _drop(self) -> None:
        connection, self._connection, self._confirms = self._connection, None, None
        if connection is not None:
            try:
                connection.collect(socket_timeout=1)
            except BROKER_ERRORS:
                connection.release()


class _Confirms:
    """A channel in confirm mode and what it still waits for.

    Confirms come out of order, and one may speak for all before it (`multiple`).
    """

    def __init__(self, connection: Any) -> None:
        # The one beneath kombu's: that would reconnect while we wait for confirms that are lost.
        self._wire = connection.connection
        self._channel = connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._last_tag = 0
        self._open: dict[int, str] = {}
        self._unroutable: set[str] = set()
        self._refused: set[str] = set()

    def send(self, message: Outgoing) -> None:
        self._last_tag += 1
        self._open[self._last_tag] = message.id
        self._channel.basic_publish(
            amqp.Message(
                message.body,
                content_type=CONTENT_TYPE,
                content_encoding="utf-8",
                delivery_mode=2,
                message_id=message.id,
                type=message.event_type,
                application_headers=dict(message.headers),
            ),
            exchange=message.exchange,
            routing_key=message.routing_key,
            mandatory=True,
        )

    def wait(self, timeout: float) -> Outcome:
        """Waits for all that were sent since the last wait. Raises one of BROKER_ERRORS."""
        deadline = time.monotonic() + timeout
        while self._open:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the broker did not confirm in time")
            self._wire.drain_events(timeout=left)
        outcome = Outcome(frozenset(self._unroutable), frozenset(self._refused))
        self._unroutable, self._refused = set(), set()
        return outcome

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._take(tag, multiple)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused.update(self._take(tag, multiple))

    def _on_return(self, _error: Exception, _exchange: str, _key: str, message: amqp.Message) -> None:
        # Comes before the confirm of the same message.
        self._unroutable.add(message.properties["message_id"])

    def _take(self, tag: int, multiple: bool) -> list[str]:
        tags = [t for t in self._open if t <= tag] if multiple else [tag]
        return [self._open.pop(t) for t in tags if t in self._open]
