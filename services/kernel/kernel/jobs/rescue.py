"""Rescuing the jobs of dead workers: the library leaves them in `doing` for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from kernel.ops import metrics
from kernel.ops.logs import logger

if TYPE_CHECKING:
    from kernel.sql.app import App

_log = logger(__name__)

# Seconds between heartbeats of a worker, and of silence after which it counts as dead.
HEARTBEAT = 2.0
DEAD_AFTER = 8.0
# A job that took so many workers with it is not started again.
_DEADLY = 10

# One rescuer at a time, so that no second one starts again what a live worker has already taken.
_TURN = text("select pg_try_advisory_xact_lock(hashtext('kernel.jobs.rescue'))")
_RESCUE = text(
    # Without its queueing lock: another job may wait under it by now.
    "update procrastinate_jobs j set attempts = attempts + 1, worker_id = null, abort_requested = false,"
    " queueing_lock = null,"
    " status = (case when abort_requested or attempts >= :deadly then 'failed' else 'todo' end)"
    "::procrastinate_job_status"
    " where status = 'doing' and not exists (select 1 from procrastinate_workers w"
    "  where w.id = j.worker_id and w.last_heartbeat > clock_timestamp() - :silence * interval '1 second')"
    " returning id, task_name, status::text"
)


def rescue(engine: Engine, silence: float = DEAD_AFTER) -> int:
    """Starts again the jobs of workers not heard for `silence` seconds; answers how many it found."""
    with engine.begin() as connection:
        if not connection.execute(_TURN).scalar_one():
            return 0
        found = connection.execute(_RESCUE, {"silence": silence, "deadly": _DEADLY}).all()
    for job in found:
        metrics.jobs_stalled.inc()
        _log.warning("job of a dead worker", job=job.task_name, job_id=job.id, now=job.status)
    return len(found)


class RescueLoop:
    """Rescues in a thread until stopped."""

    def __init__(self, app: App) -> None:
        self._engine = app.engine
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rescue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            try:
                rescue(self._engine)
            except Exception as error:
                _log.warning("rescue waits", error=type(error).__name__)
