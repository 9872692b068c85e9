"""Plain views are audited in batches: a crash may lose the last 200 ms of them.

Mutations, reveals and exports are audited in their own transaction by UnitOfWork.audit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert

from kernel.ops import trace
from kernel.ops.logs import logger
from kernel.pure.clock import Clock
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql import tables

log = logger(__name__)

_EVERY = 0.2
# Beyond so many unwritten views the caller waits for the writer.
_MOST = 20_000


class ViewLog:
    """Collects views and writes them from a thread of its own."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Writes in a daemon thread from now on."""
        threading.Thread(target=self._write_forever, name="views", daemon=True).start()

    def note(self, principal: Principal, method: str, object_type: str, ids: Collection[object]) -> None:
        """One row a call: which records of one type were shown to whom."""
        shown = [str(i) for i in ids]
        if not shown:
            return
        row = _row(principal, method, object_type, shown, self._clock.now())
        with self._lock:
            self._rows.append(row)
            full = len(self._rows) >= _MOST
        if full:
            self.flush()

    def flush(self) -> None:
        """Writes what was noted; keeps it for the next time when the database can't be reached."""
        with self._lock:
            rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(tables.audit), rows)
        except Exception as error:
            log.warning("views not written yet", views=len(rows), error=type(error).__name__)
            with self._lock:
                self._rows[:0] = rows[-_MOST:]

    def _write_forever(self) -> None:
        while True:
            time.sleep(_EVERY)
            self.flush()


def _row(principal: Principal, method: str, object_type: str, ids: list[str], at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "at": at,
        "actor_kind": principal.kind.value,
        "actor_id": principal.id,
        "action": f"view:{method}",
        "object_type": object_type,
        "object_id": ids[0] if len(ids) == 1 else "",
        "facts": {} if len(ids) == 1 else {"ids": ids},
        "trace_id": trace.trace_id() or None,
    }
