"""The reliable entrypoint: an event takes effect once for each handler, or ends where somebody sees it.

    @hears(OrdersRecorded)
    def apply_orders(self, work, event, envelope): ...

One unit of work holds the inbox row and the effect; the message is acknowledged after its commit.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import eventlet
from google.protobuf.message import Message
from kombu.entity import Queue
from kombu.message import Message as Delivery
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint, register_entrypoint

from kernel.bus import headers
from kernel.bus.broker import BROKER_ERRORS
from kernel.bus.consuming import QueueConsumer
from kernel.bus.envelope import Envelope, Unparsable, parse
from kernel.bus.publisher import Outgoing
from kernel.bus.topology import DELAYS, Subscription
from kernel.ops import metrics, trace
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError, StoreUnavailable
from kernel.pure.grants import Principal
from kernel.sql import inbox
from kernel.sql.engine import is_unavailable

if TYPE_CHECKING:
    from kernel.sql.app import App

_log = logger(__name__)

F = TypeVar("F", bound=Callable[..., None])

# Longest pause, in seconds, between tries while the database is away.
_LONGEST_PAUSE = 2.0


def hears(message_class: type[Message]) -> Callable[[F], F]:
    """Marks a method `(self, work, event, envelope)` of a service class as handler of an event."""

    def mark(method: F) -> F:
        register_entrypoint(method, Hears(message_class))
        return method

    return mark


def subscriptions(service: str, service_class: type) -> list[Subscription]:
    """What the handlers of a service class hear, in the order of their names."""
    found = []
    for name in sorted(dir(service_class)):
        for entrypoint in getattr(getattr(service_class, name), ENTRYPOINT_EXTENSIONS_ATTR, ()):
            found.append(entrypoint.subscription(service, name))
    return found


class Hears(Entrypoint):
    """Receives the events of one queue for one method."""

    queue_consumer = QueueConsumer()

    def __init__(self, message_class: type[Message], **options: Any) -> None:
        self._message_class = message_class
        super().__init__(**options)

    def subscription(self, service: str, method_name: str) -> Subscription:
        return Subscription(service, self._message_class.DESCRIPTOR.full_name, f"{service}.{method_name}")

    def setup(self) -> None:
        self._app: App = self.container.config["app"]
        self._to = self.subscription(self._app.service, self.method_name)
        self._principal = Principal.service(self._app.service)
        self._method = getattr(self.container.service_cls(), self.method_name)
        self.queue = Queue(self._to.queue, no_declare=True)  # type: ignore[no-untyped-call]
        self.queue_consumer.register_provider(self)

    def stop(self) -> None:
        self.queue_consumer.stop()

    def handle_message(self, message: Delivery) -> None:
        """Sees one message through to its end: applied, waiting, dead, or left to the broker."""
        try:
            envelope, event = parse(message.body, self._message_class)
        except Unparsable as error:
            self._bury(message, "UNPARSABLE", str(error))
            return
        trace.current.set(trace.continued(envelope.traceparent))
        pause = 0.1
        while not self._try(message, envelope, event):
            # The database is away: nothing can be done for any event, so this one waits in hand,
            # unless the broker has taken it back or will.
            if self.queue_consumer.stopping or not delivery_lives(message):
                return
            eventlet.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _try(self, message: Delivery, envelope: Envelope, event: Message) -> bool:
        """One attempt; False when the database is away."""
        try:
            with self.queue_consumer.slots:
                self._apply(envelope, event)
        except Exception as error:
            if is_unavailable(error) or isinstance(error, StoreUnavailable):
                _log.warning("database away, event waits", **self._facts(message))
                return False
            if isinstance(error, CrmError) and not error.transient:
                self._bury(message, error.reason, place(error))
            else:
                self._put_off(message, error)
        else:
            self._settle(message.ack)
        return True

    def _apply(self, envelope: Envelope, event: Message) -> None:
        started = monotonic()
        with self._app.work(self._principal) as work:
            fresh = inbox.claim(work.session, self._to.handler, envelope.id)
            if fresh:
                self._method(work, event, envelope)
        if not fresh:
            metrics.inbox_duplicates.labels(self._to.handler).inc()
            return
        metrics.event_seconds.labels(self._to.handler).observe(monotonic() - started)
        lag = (datetime.now(UTC) - envelope.time).total_seconds()
        metrics.event_lag.labels(self._to.handler).observe(max(0.0, lag))

    def _put_off(self, message: Delivery, error: Exception) -> None:
        """Lets the event wait on the next retry queue; after the last one it is dead."""
        attempt = headers.attempts(message.headers)
        if attempt >= len(DELAYS):
            self._bury(message, "RETRIES_EXHAUSTED", place(error))
            return
        delay = list(DELAYS)[attempt]
        _log.warning("event put off", delay=delay, error=place(error), **self._facts(message))
        if self._hand_on(message, self._to.retry_queue(delay), {headers.ATTEMPT: attempt + 1}):
            metrics.event_retries.labels(self._to.handler, delay).inc()

    def _bury(self, message: Delivery, reason: str, detail: str) -> None:
        """Puts the event on the dead-letter queue, with what somebody needs to judge it."""
        _log.error("event dead", reason=reason, detail=detail, **self._facts(message))
        notes = headers.epitaph(
            attempts=headers.attempts(message.headers), reason=reason, detail=detail, handler=self._to.handler
        )
        if self._hand_on(message, self._to.dead_queue, notes):
            metrics.events_dead.labels(self._to.handler, reason).inc()

    def _hand_on(self, message: Delivery, queue: str, notes: Mapping[str, Any]) -> bool:
        """Moves the message: a confirmed copy on `queue`, then the acknowledgement.

        A kill between the two leaves two copies, and the inbox notices. When the copy did not
        arrive, the message goes back to where it came from.
        """
        properties = message.properties
        copy = Outgoing(
            id=properties.get("message_id", ""),
            event_type=properties.get("type", ""),
            body=message.body,
            exchange="",
            routing_key=queue,
            # Only our own: with the broker's x-death it would take a second round for a cycle.
            headers=notes,
        )
        try:
            outcome = self.queue_consumer.publisher.publish([copy])
        except BROKER_ERRORS as error:
            _log.warning("event not moved", to=queue, error=type(error).__name__, **self._facts(message))
        else:
            if outcome.complete:
                self._settle(message.ack)
                return True
            _log.error("event not moved: no such queue, or full", to=queue, **self._facts(message))
        eventlet.sleep(1)
        self._settle(message.requeue)
        return False

    def _settle(self, answer: Callable[[], None]) -> None:
        """Answers for a message; with the connection gone the broker gives it out again by itself."""
        try:
            answer()
        except BROKER_ERRORS as error:
            _log.info("answer lost, the event comes again", error=type(error).__name__)

    def _facts(self, message: Delivery) -> dict[str, str]:
        return {
            "event_id": message.properties.get("message_id", ""),
            "event_type": self._to.event_type,
            "handler": self._to.handler,
        }


def delivery_lives(message: Delivery) -> bool:
    """Whether the message can still be answered for: its connection is the one it came by."""
    return message.channel is not None and message.channel.connection is not None


def place(error: Exception) -> str:
    """An error's class or reason, and where it was raised; never its text, which may quote data."""
    name = error.reason if isinstance(error, CrmError) and error.reason else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    # The last line of ours says more than the depths of a library.
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{name} at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else name
