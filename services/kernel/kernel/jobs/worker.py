"""The jobs process: `python -m <service>.jobs`. Does long work, fires timers, sweeps.

procrastinate's worker runs on asyncio; the bodies of jobs run in threads and are ordinary code.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import procrastinate
from procrastinate import retry
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import JobContext
from procrastinate.jobs import DeleteJobCondition
from procrastinate.jobs import Job as QueuedJob
from sqlalchemy import text

from kernel.jobs import sweeps
from kernel.jobs.audit_sealer import CHECK_AUDIT, SealLoop
from kernel.jobs.job import Job, Running, as_it_was
from kernel.jobs.rescue import DEAD_AFTER, HEARTBEAT, RescueLoop
from kernel.jobs.timers import TimerHandler, TimerLoop
from kernel.ops import health, logs, trace
from kernel.ops.logs import logger
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal
from kernel.sql.engine import VANISHED

if TYPE_CHECKING:
    from kernel.sql.app import App

_log = logger(__name__)

# Seconds after SIGTERM at which jobs are asked to stop at their next checkpoint, and at which the
# process ends whatever they do: what runs then starts again elsewhere when it is found dead.
_ASK = 1.0
_LEAVE = 18.0
# Seconds between two tries of a job; the last one repeats.
_WAITS = (1, 10, 60, 600)
_UNLOCK = text("update procrastinate_jobs set queueing_lock = null where id = :id")
# A periodic job that was missed for less than this many seconds is made up for.
_MADE_UP_FOR = 86_400.0


def main(
    app: App,
    jobs: Sequence[Job],
    timers: Mapping[str, TimerHandler],
    *,
    destroy_day_keys: sweeps.DestroyDayKeys | None = None,
    concurrency: int = 4,
    present: Callable[[Principal], Principal] = as_it_was,
) -> None:
    """Runs until SIGTERM. `concurrency`: how many jobs this process runs at a time; `present` answers
    what somebody on whose behalf a job works may do now.

    `destroy_day_keys` is told, after answers to repeated commands were pruned, the first day that
    must stay readable. Raises ValueError when two jobs have one name.
    """
    logs.configure(app.service, "jobs", app.settings.log_level)
    health.serve(app.settings.ops_address, {"store": app.check_store})
    app.watch_keys()
    all_jobs = [*jobs, CHECK_AUDIT, *sweeps.jobs(destroy_day_keys)]
    queue = make_queue(app, all_jobs, present)
    timer_loop = TimerLoop(app, timers)
    rescue_loop = RescueLoop(app)
    seal_loop = SealLoop(app)
    timer_loop.start()
    seal_loop.start()
    rescue_loop.start()
    asyncio.run(_work(queue, [job.name for job in all_jobs], concurrency))
    rescue_loop.stop()
    timer_loop.stop(timeout=5)
    seal_loop.stop(timeout=2)
    app.close()


def make_queue(
    app: App, jobs: Sequence[Job], present: Callable[[Principal], Principal] = as_it_was
) -> procrastinate.App:
    """The library's App that runs `jobs`; each has a queue of its own."""
    queue = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=app.settings.database_url.get_secret_value(),
            min_size=1,
            max_size=3,
            kwargs={"connect_timeout": 2, **VANISHED},
        ),
        periodic_defaults={"max_delay": _MADE_UP_FOR},
    )
    for job in jobs:
        _register(queue, app, job, present)
    return queue


def _register(
    queue: procrastinate.App, app: App, job: Job, present: Callable[[Principal], Principal]
) -> None:
    if job.name in queue.tasks:
        raise ValueError(f"two jobs are called {job.name}")

    def body(context: JobContext, /, **arguments: object) -> None:
        trace.begin(job=job.name, job_id=str(context.job.id), actor=app.service)
        if context.job.queueing_lock is not None:
            _give_up_queueing_lock(app, context.job)
        if job.every is not None:
            # What the library adds to periodic jobs.
            arguments.pop("timestamp", None)
        running = Running(app, context.job.attempts + 1, context.should_abort, present)
        job.run(running, **arguments)

    task = queue.task(
        name=job.name,
        queue=job.name,
        pass_context=True,
        retry=Retries(job.attempts),
        queueing_lock=job.name if job.every else None,
        lock=job.name if job.every else None,
    )(body)
    if job.every is not None:
        queue.periodic(cron=job.every)(task)  # type: ignore[arg-type]


def _give_up_queueing_lock(app: App, job: QueuedJob) -> None:
    """It says that one waiting job is enough. Kept while running, it would collide with the next one
    when this one is to wait again, and the library would leave this one running for ever."""
    with app.engine.begin() as connection:
        connection.execute(_UNLOCK, {"id": job.id})


class Retries(retry.BaseRetryStrategy):
    """When a job that failed is tried again."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> retry.RetryDecision | None:
        """Whether and when; None ends the job. An interrupted one goes on at once, in another process."""
        if isinstance(exception, JobAborted):
            return retry.RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, CrmError) and not exception.transient:
            return None
        if job.attempts + 1 >= self._attempts:
            return None
        wait = _WAITS[min(job.attempts, len(_WAITS) - 1)]
        return retry.RetryDecision(retry_in={"seconds": wait})


async def _work(queue: procrastinate.App, names: list[str], concurrency: int) -> None:
    """Runs the worker until SIGTERM, and again whenever it ended because the database went away."""
    loop = asyncio.get_running_loop()
    # The default has 6 threads on 2 cores: jobs beyond them would wait while they count as running.
    loop.set_default_executor(ThreadPoolExecutor(concurrency + 2))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stopper(stop, loop))
    while not stop.is_set():
        try:
            async with queue.open_async():
                await _run_worker(queue, names, concurrency, stop)
        except Exception as error:
            _log.warning("worker ended, starting again", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=1)


def _stopper(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    def on_signal() -> None:
        if not stop.is_set():
            stop.set()
            loop.call_later(_LEAVE, os._exit, 0)

    return on_signal


async def _run_worker(
    queue: procrastinate.App, names: list[str], concurrency: int, stop: asyncio.Event
) -> None:
    """Returns when stopped, or when the worker ended by itself; raises what it raised."""
    worker = asyncio.create_task(
        queue.run_worker_async(
            queues=names,
            concurrency=concurrency,
            fetch_job_polling_interval=1,
            abort_job_polling_interval=1,
            shutdown_graceful_timeout=_ASK,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=DEAD_AFTER,
        )
    )
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if worker.done():
        stopped.cancel()
        worker.result()
        return
    # Cancelling asks the worker to finish its jobs.
    worker.cancel()
    await asyncio.wait({worker})
