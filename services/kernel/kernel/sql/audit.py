"""Plain views are audited in batches: a crash may lose the last 200 ms of them.

Mutations, reveals and exports are audited in their own transaction by UnitOfWork.audit.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from kernel.ops import trace
from kernel.ops.logs import logger
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id

log = logger(__name__)

_EVERY = 0.2
# Beyond so many unwritten views the caller waits for the writer.
_MOST = 20_000
_COPY = """
    copy audit (id, at, actor_kind, actor_id, action, object_type, object_id, facts, trace_id) from stdin
"""


class _View(NamedTuple):
    principal: Principal
    method: str
    object_type: str
    ids: list[str]
    at: datetime
    trace_id: str


class ViewLog:
    """Collects views and writes them from a thread of its own."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._views: list[_View] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Writes in a daemon thread from now on."""
        threading.Thread(target=self._write_forever, name="views", daemon=True).start()

    def note(self, principal: Principal, method: str, object_type: str, ids: Collection[object]) -> None:
        """One row a call: which records of one type were shown to whom."""
        shown = [str(i) for i in ids]
        if not shown:
            return
        view = _View(principal, method, object_type, shown, self._clock.now(), trace.trace_id())
        with self._lock:
            self._views.append(view)
            full = len(self._views) >= _MOST
        if full:
            self.flush()

    def flush(self) -> None:
        """Writes what was noted; keeps it for the next time when the database can't be reached."""
        with self._lock:
            views, self._views = self._views, []
        if not views:
            return
        try:
            with self._engine.begin() as connection:
                driver: Any = connection.connection.driver_connection
                with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
                    for view in views:
                        copy.write_row(_row(view))
        except Exception as error:
            log.warning("views not written yet", views=len(views), error=type(error).__name__)
            with self._lock:
                self._views[:0] = views[-_MOST:]

    def _write_forever(self) -> None:
        while True:
            time.sleep(_EVERY)
            self.flush()


def _row(view: _View) -> tuple[Any, ...]:
    one = len(view.ids) == 1
    return (
        new_id(),
        view.at,
        view.principal.kind.value,
        view.principal.id,
        f"view:{view.method}",
        view.object_type,
        view.ids[0] if one else "",
        "{}" if one else json.dumps({"ids": view.ids}),
        view.trace_id or None,
    )
