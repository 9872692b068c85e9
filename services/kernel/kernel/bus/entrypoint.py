"""The reliable entrypoint: an event takes effect once for each handler, or ends where somebody sees it.

    @hears(OrdersRecorded)
    def apply_orders(self, work, event, envelope): ...

One unit of work holds the inbox row and the effect; the message is acknowledged after its commit.

    @hears(OrdersRecorded, together=True)

Events that wait at the same time are one unit of work then: what a transaction costs is paid once.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import eventlet
from eventlet.semaphore import Semaphore
from google.protobuf.message import Message
from kombu.entity import Queue
from kombu.message import Message as Delivery
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint, register_entrypoint
from psycopg import DataError
from sqlalchemy import exc

from kernel.bus import headers
from kernel.bus.broker import BROKER_ERRORS
from kernel.bus.consuming import PREFETCH, QueueConsumer
from kernel.bus.envelope import Envelope, Unparsable, parse
from kernel.bus.late import without_erased
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
# Seconds that copies of what other services hold may be late, when that spares transactions.
PATIENCE = 0.05
# The most that becomes one unit of work: so many events, or their bytes.
_MOST_TOGETHER, _MOST_BYTES = 200, 1 << 18
# So few after a join that failed, and one more after each that did not: the fewer are joined, the fewer wait
# for who is to blame.
_FEWEST_TOGETHER = 8
# So many are held unacknowledged: those that are applied, those that wait for it, those on their way.
_AHEAD = 3 * _MOST_TOGETHER


def hears(
    message_class: type[Message],
    *,
    about: Sequence[str] = (),
    together: bool = False,
    patience: float = 0.0,
) -> Callable[[F], F]:
    """Marks a method `(self, work, event, envelope)` of a service class as handler of an event.

    `together` is for events that are lists of facts, each with its own id and version: the lists of
    those that wait are joined, and `envelope` is that of the first. One that fails fails alone. Those that
    come within `patience` seconds of the last wait for each other so long.

    `about` are the fields that name persons ("orders.customer_id"): what is said of erased ones never
    reaches the handler.
    """

    def mark(method: F) -> F:
        if about:
            method = without_erased(method, about)
        register_entrypoint(method, Hears(message_class, together=together, patience=patience))
        return method

    return mark


def subscriptions(service: str, service_class: type) -> list[Subscription]:
    """What the handlers of a service class hear, in the order of their names."""
    found = []
    for name in sorted(dir(service_class)):
        for entrypoint in getattr(getattr(service_class, name), ENTRYPOINT_EXTENSIONS_ATTR, ()):
            found.append(entrypoint.subscription(service, name))
    return found


class Arrived(NamedTuple):
    message: Delivery
    envelope: Envelope
    event: Message


class Hears(Entrypoint):
    """Receives the events of one queue for one method."""

    queue_consumer = QueueConsumer()

    def __init__(
        self,
        message_class: type[Message],
        *,
        together: bool = False,
        patience: float = 0.0,
        **options: Any,
    ) -> None:
        self._message_class = message_class
        self._together = together
        self._patience = patience
        self._most = _MOST_TOGETHER
        # When those that waited were last taken.
        self._taken = 0.0
        self.prefetch = _AHEAD if together else PREFETCH
        super().__init__(**options)

    def subscription(self, service: str, method_name: str) -> Subscription:
        return Subscription(service, self._message_class.DESCRIPTOR.full_name, f"{service}.{method_name}")

    def setup(self) -> None:
        self._app: App = self.container.config["app"]
        self._to = self.subscription(self._app.service, self.method_name)
        self._principal = Principal.service(self._app.service)
        self._method = getattr(self.container.service_cls(), self.method_name)
        self.queue = Queue(self._to.queue, no_declare=True)  # type: ignore[no-untyped-call]
        self._waiting: deque[Arrived] = deque()
        self._turn = Semaphore(1)
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
        if not self._to.told_by_owner(envelope.source):
            self._bury(message, "FOREIGN_SOURCE", "the source is not the service whose event this is")
            return
        arrived = Arrived(message, envelope, event)
        if not self._together or headers.attempts(message.headers):
            # What failed before is tried alone: it may fail again, and whoever it was joined with would wait.
            self._see_through(arrived)
            return
        self._waiting.append(arrived)
        with self._turn:
            # Whoever has the turn takes along what came meanwhile; those find nothing left to do.
            self._gather()
            batch = list(self._next_batch())
            failed = bool(batch) and not self._try_together(batch)
            self._most = _FEWEST_TOGETHER if failed else min(self._most + 1, _MOST_TOGETHER)
        # Not in the turn: finding out who is to blame, and moving it to its queue, takes a while, and those
        # that come meanwhile need not wait.
        if failed:
            self._see_apart(batch)

    def _see_apart(self, batch: Sequence[Arrived]) -> None:
        """Sees those of a join that failed through to their ends: of many each half, of few each by itself,
        all at once, for most of them wait because of one."""
        if len(batch) > _FEWEST_TOGETHER:
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                if not self._try_together(half):
                    self._see_apart(half)
            return
        pool = eventlet.GreenPool(len(batch))
        for one in batch:
            pool.spawn_n(self._see_through, one)
        pool.waitall()

    def _gather(self) -> None:
        """Lets a stream of events become few units of work; a single one waits for nobody."""
        left = self._taken + self._patience - monotonic()
        if self._waiting and left > 0:
            eventlet.sleep(left)
        self._taken = monotonic()

    def _next_batch(self) -> Iterator[Arrived]:
        count = size = 0
        while self._waiting and count < self._most and size < _MOST_BYTES:
            arrived = self._waiting.popleft()
            count, size = count + 1, size + len(arrived.message.body)
            yield arrived

    def _try_together(self, batch: Sequence[Arrived]) -> bool:
        """Applies all or none; False when none was."""
        try:
            with self.queue_consumer.slots:
                self._apply(batch)
        except Exception as error:
            _log.info("events not applied together", error=place(error), events=len(batch))
            return False
        for arrived in batch:
            self._settle(arrived.message.ack)
        return True

    def _see_through(self, arrived: Arrived) -> None:
        pause = 0.1
        while not self._try(arrived):
            # The database is away: nothing can be done for any event, so this one waits in hand,
            # unless the broker has taken it back or will.
            if self.queue_consumer.stopping or not delivery_lives(arrived.message):
                return
            eventlet.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _try(self, arrived: Arrived) -> bool:
        """One attempt; False when the database is away."""
        message = arrived.message
        try:
            with self.queue_consumer.slots:
                self._apply([arrived])
        except Exception as error:
            if is_unavailable(error) or isinstance(error, StoreUnavailable):
                _log.warning("database away, event waits", **self._facts(message))
                return False
            if isinstance(error, CrmError) and not error.transient:
                self._bury(message, error.reason, place(error))
            elif isinstance(error, DataError | exc.DataError):
                # The database can't hold such a value, and never will.
                self._bury(message, "MALFORMED", place(error))
            else:
                self._put_off(message, error)
        else:
            self._settle(message.ack)
        return True

    def _apply(self, batch: Sequence[Arrived]) -> None:
        """Lets those that had no effect yet have it, in one transaction."""
        started, handler = monotonic(), self._to.handler
        self._trace(batch[0].envelope)
        told = {arrived.envelope.id: arrived for arrived in batch}
        with self._app.work(self._principal) as work:
            claimed = inbox.claim(work.reader, handler, told.keys())
            fresh = [arrived for event_id, arrived in told.items() if event_id in claimed]
            if fresh:
                self._method(work, _joined([arrived.event for arrived in fresh]), fresh[0].envelope)
        metrics.inbox_duplicates.labels(handler).inc(len(batch) - len(fresh))
        for arrived in fresh:
            metrics.event_seconds.labels(handler).observe(monotonic() - started)
            lag = (datetime.now(UTC) - arrived.envelope.time).total_seconds()
            metrics.event_lag.labels(handler).observe(max(0.0, lag))

    def _trace(self, envelope: Envelope) -> None:
        """Logs and what is recorded from now on belong to the trace of the event."""
        trace.current.set(trace.continued(envelope.traceparent))
        trace.doing.set(
            {"handler": self._to.handler, "event_id": str(envelope.id), "actor": self._app.service}
        )

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
            exchange=self._to.retry_exchange,
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


def _joined(events: Sequence[Message]) -> Message:
    """One event with the lists of all, in order; a new one, for each may be needed by itself again."""
    whole = type(events[0])()
    for event in events:
        whole.MergeFrom(event)
    return whole


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
