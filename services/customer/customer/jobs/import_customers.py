"""The job that works through imports, one after the other, and the timer that destroys their files."""

from __future__ import annotations

import gc
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any
from uuid import UUID

from customer.domain.importing.runs import Import, State
from customer.usecases.imports.prepare_steps import Step, prepare_steps
from customer.usecases.imports.store_step import note_failure, store_step
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.ops.logs import logger
from kernel.pure.clock import today
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.sql.engine import is_unavailable
from kernel.sql.timers import Timer

_log = logger(__name__)


def import_customers(running: Running) -> None:
    """Works on imports until none is left to work on. One at a time: what is stored at the same time
    could not be compared with each other."""
    with _tuned_interpreter():
        _import_all(running)


@contextmanager
def _tuned_interpreter() -> Iterator[None]:
    """A step makes a million objects and no cycle of them: looking for cycles each 700 would take a
    third of the time. And the thread that stores must get its turn as soon as the database has
    answered, not 5 ms later."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    sys.setswitchinterval(0.0002)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _import_all(running: Running) -> None:
    app: Any = running.app
    while True:
        running.checkpoint()
        run = _next(app)
        if run is None:
            return
        try:
            _work_on(app, run, running)
        except Exception as error:
            if is_unavailable(error) or (isinstance(error, CrmError) and error.transient):
                raise
            _log.warning("import failed", import_id=str(run.id), error=type(error).__name__, exc_info=error)
            with app.work(run.principal) as work:
                note_failure(work, run.id, error)


def destroy_uploads(work: Any, timers: Sequence[Timer]) -> None:
    """Destroys the files whose time has come."""
    work.uploads.destroy([UUID(timer.key) for timer in timers])


def _work_on(app: Any, run: Import, running: Running) -> None:
    """Stores the steps of one import until it ends or waits, or somebody waits for a trial."""
    with _prepared(app, run) as steps:
        for step, bytes_read in steps:
            with app.work(run.principal) as work:
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


@contextmanager
def _prepared(app: CustomerApp, run: Import) -> Iterator[Iterator[tuple[Step, int]]]:
    """The steps of an import with the bytes read by then, made ready one ahead in a thread."""
    ready: queue.Queue[tuple[Step, int] | BaseException | None] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def hand_over(one: tuple[Step, int] | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(one, timeout=0.1)
                return

    thread = threading.Thread(target=_prepare, args=(app, run, hand_over, stopped.is_set), name="prepare")
    thread.start()
    try:
        yield _taken(ready)
    finally:
        stopped.set()
        thread.join()


def _taken(ready: queue.Queue[tuple[Step, int] | BaseException | None]) -> Iterator[tuple[Step, int]]:
    while (one := ready.get()) is not None:
        if isinstance(one, BaseException):
            raise one
        yield one


def _prepare(
    app: CustomerApp,
    run: Import,
    hand_over: Callable[[tuple[Step, int] | BaseException | None], None],
    is_stopped: Callable[[], bool],
) -> None:
    read = 0

    def progress(so_far: int) -> None:
        nonlocal read
        read = so_far

    importing, options = app.importing, run.options
    try:
        with closing(
            importing.files.records(run.upload_id, options.format, options.encoding, progress)
        ) as records:
            for step in prepare_steps(run, records, importing.stager, importing.marks, today(app.clock)):
                hand_over((step, read))
                if is_stopped():
                    return
        hand_over(None)
    except BaseException as error:
        hand_over(error)
