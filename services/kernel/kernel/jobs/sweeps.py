"""What the kernel throws away when nobody can need it any more; each night, on one replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import TextClause, text

from kernel.jobs.job import Job, Running
from kernel.ops.logs import logger
from kernel.sql.crypto import orphans

_log = logger(__name__)

# Told the first day that must stay readable; destroys the keys of all days before.
DestroyDayKeys = Callable[[date], object]

# An event that comes again later than this would take effect twice: far beyond any retry or backlog.
INBOX_KEPT = timedelta(days=30)
# For so long a command may be repeated under its request id.
ANSWERS_KEPT = timedelta(hours=48)
# Jobs that failed stay for somebody to look at.
FAILED_JOBS_KEPT = timedelta(days=30)

_CHUNK = 5_000

_INBOX = text(
    "delete from inbox where (handler, event_id) in"
    " (select handler, event_id from inbox where handled_at < :before limit :chunk)"
)
_ANSWERS = text(
    "delete from idempotency where (caller, method, request_id) in"
    " (select caller, method, request_id from idempotency where created_at < :before limit :chunk)"
)
_JOBS = text(
    "delete from procrastinate_jobs where id in ("
    " select j.id from procrastinate_jobs j"
    " where j.status in ('failed', 'aborted', 'cancelled', 'succeeded') and not exists"
    "  (select 1 from procrastinate_events e where e.job_id = j.id and e.at >= :before)"
    " limit :chunk)"
)


def jobs(destroy_day_keys: DestroyDayKeys | None = None) -> list[Job]:
    """The kernel's own periodic jobs; times are 02:10 to 02:50 in Shanghai, when little goes on."""

    def prune_inbox(running: Running) -> None:
        _prune(running, _INBOX, datetime.now(UTC) - INBOX_KEPT)

    def prune_idempotency(running: Running) -> None:
        before = datetime.now(UTC) - ANSWERS_KEPT
        _prune(running, _ANSWERS, before)
        if destroy_day_keys is not None:
            # The day of `before` itself still has answers that may be asked for.
            destroy_day_keys(before.date())

    def prune_jobs(running: Running) -> None:
        _prune(running, _JOBS, datetime.now(UTC) - FAILED_JOBS_KEPT)

    def sweep_keys(running: Running) -> None:
        app = running.app
        gone = orphans.sweep(app.keyring, app.reader, app.holders)
        _log.info("orphaned keys swept", keys=gone)

    bodies: Mapping[str, Callable[[Running], None]] = {
        "10 18 * * *": prune_inbox,
        "25 * * * *": prune_idempotency,
        "40 18 * * *": prune_jobs,
        "50 18 * * *": sweep_keys,
    }
    return [Job(body.__name__, body, every=cron) for cron, body in bodies.items()]


def _prune(running: Running, delete: TextClause, before: datetime) -> None:
    """Deletes in chunks, each in a transaction of its own."""
    while True:
        with running.work() as work:
            result = work.session.execute(delete, {"before": before, "chunk": _CHUNK})
            gone: int = getattr(result, "rowcount", 0)
        if gone < _CHUNK:
            return
        running.checkpoint()
