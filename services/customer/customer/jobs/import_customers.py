"""The job that works through imports, one after the other, and the timers that end what they left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customer.domain.importing.runs import Import, State
from customer.jobs.preparing import MOST_PROCESSES, PreparerFailed, prepared
from customer.jobs.tuning import tuned_interpreter
from customer.usecases.imports.store_step import note_failure, store_step
from kernel.jobs.job import Running
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.sql.engine import is_unavailable
from kernel.sql.timers import Timer

_log = logger(__name__)


def import_customers(running: Running) -> None:
    """Works on imports until none is left to work on. One at a time: what is stored at the same time
    could not be compared with each other."""
    with tuned_interpreter():
        _import_all(running)


def _import_all(running: Running) -> None:
    app: Any = running.app
    processes = MOST_PROCESSES
    while True:
        running.checkpoint()
        run = _next(app)
        if run is None:
            return
        try:
            _work_on(app, run, running, processes)
        except PreparerFailed:
            _log.warning("a process that prepared an import ended", import_id=str(run.id))
            processes = 0
        except Exception as error:
            if is_unavailable(error) or (isinstance(error, CrmError) and error.transient):
                raise
            _log.warning("import failed", import_id=str(run.id), error=type(error).__name__, exc_info=error)
            with app.work(run.principal) as work:
                note_failure(work, run.id, error)
            # One alone sees which rows have one external id.
            processes = min(processes, 1)


def destroy_uploads(work: Any, timers: Sequence[Timer]) -> None:
    """Destroys the files whose time has come."""
    work.uploads.destroy([UUID(timer.key) for timer in timers])


def destroy_reports(work: Any, timers: Sequence[Timer]) -> None:
    """Destroys the row reports whose time has come."""
    work.imports.destroy_reports([UUID(timer.key) for timer in timers])


def _work_on(app: Any, run: Import, running: Running, processes: int) -> None:
    """Stores the steps of one import until it ends or waits, or somebody waits for a trial."""
    with prepared(app, run, processes=processes) as steps:
        for step, bytes_read in steps:
            with app.work(running.present(run.principal)) as work:
                run = store_step(work, run.id, step, bytes_read)
            running.checkpoint()
            if not run.runnable or _trial_waits(app, run):
                return


def _next(app: Any) -> Import | None:
    with app.work(Principal.service(app.service)) as work:
        run: Import | None = work.imports.next()
    return run


def _trial_waits(app: Any, run: Import) -> bool:
    other = _next(app)
    return other is not None and other.id != run.id and other.state is State.TRIAL_RUNNING
