"""The relay: takes committed facts from the outbox to the broker, at least once and in order.

A row is deleted in the transaction that claimed it, after the broker has confirmed it; a kill
between the two publishes it again, and the inboxes notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

from kernel.bus.broker import BROKER_ERRORS
from kernel.bus.publisher import Outgoing, Publisher
from kernel.bus.topology import exchange_of
from kernel.ops import metrics
from kernel.ops.logs import logger
from kernel.sql.engine import VANISHED, run_on

_log = logger(__name__)

BATCH = 500
# Seconds without news after which the outbox is looked at anyway.
_POLL = 1.0
# Seconds to let events gather when they come at more than _BUSY a second: waking for each one saturates.
_LINGER = 0.01
_BUSY = 400.0
# Longest pause, in seconds, after a failure, and before a type that nobody wanted is offered again.
_LONGEST_PAUSE = 2.0
_LONGEST_REST = 60.0

_CLAIM = """
    select seq, id, type, body from outbox where type <> all(%(resting)s)
    order by seq limit %(batch)s for update skip locked
"""
_DELETE = "delete from outbox where seq = any(%(seqs)s)"
_COMMIT = "commit", ()


class Relay:
    """Relays the outbox of one database; any number may run at once and share the rows.

    `nobody_yet` are the types that are told before anybody listens: their return is no alarm.
    """

    def __init__(
        self, engine: Engine, service: str, publisher: Publisher, nobody_yet: Collection[str] = frozenset()
    ) -> None:
        self._engine = engine
        self._service = service
        self._publisher = publisher
        self._nobody_yet = frozenset(nobody_yet)
        # Types that no queue wants: (offer again at this monotonic time, seconds of rest so far).
        self._resting: dict[str, tuple[float, float]] = {}

    def relay_batch(self) -> int:
        """Publishes up to BATCH rows and deletes those that arrived; answers how many it claimed.

        What nobody wants stays, raises the alarm and rests, without blocking other types. Raises one
        of BROKER_ERRORS or psycopg's errors, with nothing deleted.
        """
        with self._engine.connect() as connection:
            [rows] = run_on(connection, (_CLAIM, {"resting": self._types_at_rest(), "batch": BATCH}))
            if not rows:
                return 0
            outcome = self._publisher.publish([self._message(row) for row in rows])
            unwanted = {r.type for r in rows if str(r.id) in outcome.unroutable} - self._nobody_yet
            kept = outcome.refused | {str(row.id) for row in rows if row.type in unwanted}
            gone = [row for row in rows if str(row.id) not in kept]
            run_on(connection, (_DELETE, {"seqs": [row.seq for row in gone]}), _COMMIT)
        for row in gone:
            metrics.events_published.labels(row.type).inc()
        self._learn({row.type for row in rows}, unwanted)
        if outcome.refused:
            raise ConnectionError("the broker refused a part of the batch")
        return len(rows)

    def _message(self, row: Any) -> Outgoing:
        return Outgoing(str(row.id), row.type, row.body, exchange_of(row.type, self._service), row.type)

    def _types_at_rest(self) -> list[str]:
        now = time.monotonic()
        return [event_type for event_type, (until, _) in self._resting.items() if until > now]

    def _learn(self, published: set[str], unwanted: set[str]) -> None:
        for event_type in published - unwanted:
            self._resting.pop(event_type, None)
        for event_type in unwanted:
            _, rest = self._resting.get(event_type, (0.0, 0.5))
            rest = min(rest * 2, _LONGEST_REST)
            self._resting[event_type] = (time.monotonic() + rest, rest)
            metrics.events_unroutable.labels(event_type).inc()
            _log.error("event unroutable, kept in the outbox", event_type=event_type, next_try_seconds=rest)


class RelayLoop:
    """Runs a relay: woken by the database's NOTIFY, looking each second in any case."""

    def __init__(self, relay: Relay, database_url: str) -> None:
        self._relay = relay
        self._url = database_url
        self._stopping = False
        self._window = (time.monotonic(), 0)
        self._busy = False

    def stop(self) -> None:
        """Asks `run` to return; it does within about a second."""
        self._stopping = True

    def run(self) -> None:
        """Relays until stopped; survives any failure of the database and of the broker."""
        pause = 0.1
        while not self._stopping:
            try:
                with self._listening() as wait_for_news:
                    while not self._stopping:
                        self._drain()
                        pause = 0.1
                        wait_for_news()
            except Exception as error:
                _log.warning("relay failed, trying again", error=type(error).__name__, pause_seconds=pause)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _drain(self) -> None:
        """Relays until the outbox is empty; a lost broker is retried on the same listening connection."""
        pause = 0.1
        while not self._stopping:
            try:
                claimed = self._relay.relay_batch()
            except BROKER_ERRORS as error:
                _log.warning("broker not reached, events wait", error=type(error).__name__)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._measure(claimed)
            if claimed < BATCH:
                return

    @contextmanager
    def _listening(self) -> Iterator[Callable[[], None]]:
        """A connection of its own that hears the outbox; yields what waits for news, at most _POLL."""
        with psycopg.connect(self._url, autocommit=True, connect_timeout=2, **VANISHED) as connection:
            connection.execute("listen outbox")

            def wait_for_news() -> None:
                heard = list(connection.notifies(timeout=_POLL, stop_after=1))
                if heard and self._busy:
                    time.sleep(_LINGER)
                # What was told meanwhile is part of the pass to come.
                list(connection.notifies(timeout=0))

            yield wait_for_news

    def _measure(self, claimed: int) -> None:
        since, count = self._window
        elapsed = time.monotonic() - since
        count += claimed
        if elapsed >= 0.25:
            self._busy = count / elapsed > _BUSY
            since, count = time.monotonic(), 0
        self._window = (since, count)
