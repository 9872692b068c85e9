"""The timer loop: fires what is due, on whichever replica comes first, once and never early.

A timer's row goes, its effect and its facts come, in one transaction. Due is what the database's
clock says, so that replicas with clocks of their own agree.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from kernel.ops import metrics, trace
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.sql.engine import is_unavailable
from kernel.sql.timers import Timer
from kernel.sql.uow import UnitOfWork

if TYPE_CHECKING:
    from kernel.sql.app import App

_log = logger(__name__)

# Called with up to BATCH timers of one kind. Their rows are gone already in its transaction, so it
# may set the same keys again.
TimerHandler = Callable[[UnitOfWork, Sequence[Timer]], None]

BATCH = 500
# Longest and shortest wait between two looks, in seconds.
_LONGEST_WAIT = 1.0
_SHORTEST_WAIT = 0.2

_KIND = text(
    "select kind from timers where due_at <= coalesce(:now, clock_timestamp()) and kind = any(:kinds)"
    " order by due_at limit 1 for update skip locked"
)
_CLAIM = text(
    "delete from timers t using ("
    "  select kind, key from timers where kind = :kind and due_at <= coalesce(:now, clock_timestamp())"
    "  order by due_at limit :batch for update skip locked"
    ") due where t.kind = due.kind and t.key = due.key returning t.kind, t.key, t.due_at, t.payload"
)
_CLAIM_ONE = text(
    "delete from timers t using ("
    "  select kind, key from timers where kind = :kind and key = :key"
    "  and due_at <= coalesce(:now, clock_timestamp()) for update skip locked"
    ") due where t.kind = due.kind and t.key = due.key returning t.kind, t.key, t.due_at, t.payload"
)
_DUE = text(
    "select key from timers where kind = :kind and due_at <= coalesce(:now, clock_timestamp())"
    " order by due_at limit :batch"
)
# 1 s, 10 s, 1 min, 10 min, then each hour: a timer is never given up.
_PUT_OFF = text(
    "update timers set attempts = attempts + 1, last_error = :error, due_at = greatest(due_at, now())"
    " + (array[1, 10, 60, 600, 3600])[least(attempts, 4) + 1] * interval '1 second'"
    " where kind = :kind and key = :key and due_at <= coalesce(:now, clock_timestamp())"
)
_LAG = text(
    "select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::float8"
    " from timers where due_at <= clock_timestamp()"
)
_NEXT = text(
    "select extract(epoch from min(due_at) - clock_timestamp())::float8 from timers where kind = any(:kinds)"
)


def fire_due(app: App, handlers: Mapping[str, TimerHandler], now: datetime | None = None) -> int:
    """Fires one batch of the kind that is most overdue; answers how many timers it took in hand.

    Kinds without a handler here are left to newer code. A batch that fails is tried timer by timer;
    a timer that fails is put off and keeps its error. Due is measured at `now`, by default the
    database's clock. Raises SQLAlchemy's errors when the database is away, with nothing fired twice.
    """
    with app.engine.begin() as connection:
        kind = connection.execute(_KIND, {"kinds": list(handlers), "now": now}).scalar()
    if kind is None:
        return 0
    trace.begin(timer=kind, actor=app.service)
    try:
        return _fire_batch(app, kind, handlers[kind], now)
    except Exception as error:
        if is_unavailable(error):
            raise
        _log.warning("batch of timers failed, trying each", kind=kind, error=_name(error))
        return _fire_singly(app, kind, handlers[kind], now)


def _fire_batch(app: App, kind: str, handler: TimerHandler, now: datetime | None) -> int:
    with app.work(Principal.service(app.service)) as work:
        rows = work.session.execute(_CLAIM, {"kind": kind, "batch": BATCH, "now": now}).all()
        timers = [Timer(*row) for row in sorted(rows, key=lambda row: (row.due_at, row.key))]
        if timers:
            handler(work, timers)
    metrics.timers_fired.labels(kind).inc(len(timers))
    return len(timers)


def _fire_singly(app: App, kind: str, handler: TimerHandler, now: datetime | None) -> int:
    with app.engine.begin() as connection:
        keys = connection.execute(_DUE, {"kind": kind, "batch": BATCH, "now": now}).scalars().all()
    for key in keys:
        try:
            _fire_one(app, kind, key, handler, now)
        except Exception as error:
            if is_unavailable(error):
                raise
            _put_off(app, kind, key, error, now)
    return len(keys)


def _fire_one(app: App, kind: str, key: str, handler: TimerHandler, now: datetime | None) -> None:
    with app.work(Principal.service(app.service)) as work:
        row = work.session.execute(_CLAIM_ONE, {"kind": kind, "key": key, "now": now}).first()
        if row is None:
            # Another replica has it, or somebody moved it.
            return
        handler(work, [Timer(*row)])
    metrics.timers_fired.labels(kind).inc()


def _put_off(app: App, kind: str, key: str, error: Exception, now: datetime | None) -> None:
    with app.engine.begin() as connection:
        connection.execute(_PUT_OFF, {"kind": kind, "key": key, "error": _name(error), "now": now})
    metrics.timers_failed.labels(kind).inc()
    _log.error("timer failed", kind=kind, key=key, error=_name(error), exc_info=error)


def _name(error: Exception) -> str:
    """The reason of a refusal, else the error's class; never its text, which may quote data."""
    return (error.reason if isinstance(error, CrmError) else "") or type(error).__name__


class TimerLoop:
    """Fires timers in a thread until stopped; survives the database's absence."""

    def __init__(self, app: App, handlers: Mapping[str, TimerHandler]) -> None:
        self._app = app
        self._handlers = dict(handlers)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for the batch in hand; a kill after that only rolls it back."""
        self._stop.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = _LONGEST_WAIT
            try:
                if fire_due(self._app, self._handlers):
                    continue
                wait = self._measure()
            except Exception as error:
                _log.warning("timers wait", error=_name(error))
            self._stop.wait(wait)

    def _measure(self) -> float:
        """Reports the lag; answers how many seconds to wait for the next timer."""
        with self._app.engine.connect() as connection:
            metrics.timers_lag.set(max(0.0, connection.execute(_LAG).scalar_one()))
            ahead: float | None = connection.execute(_NEXT, {"kinds": list(self._handlers)}).scalar()
        if ahead is None:
            return _LONGEST_WAIT
        return min(max(ahead, _SHORTEST_WAIT), _LONGEST_WAIT)
