"""The job that looks for duplicates among all customers."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from procrastinate.exceptions import JobAborted

from customer.usecases.ports import SCAN, Work
from customer.usecases.scan_duplicates import fail_scan, scan_step
from kernel.jobs.job import Job, Running

_ATTEMPTS = 5


def scan_duplicates(running: Running, scan_id: str) -> None:
    """Takes the steps of a scan on behalf of who started it, a transaction each."""
    scan = UUID(scan_id)
    with running.work() as work:
        principal = cast(Work, work).scans.lend(scan)[0].principal
    try:
        while _step(running, principal, scan):
            running.checkpoint()
    except JobAborted:
        raise
    except Exception:
        if running.attempt >= _ATTEMPTS:
            with running.work() as work:
                fail_scan(cast(Work, work), scan)
        raise


def _step(running: Running, principal: Any, scan: UUID) -> bool:
    with running.app.work(running.present(principal)) as work:
        return scan_step(cast(Work, work), scan)


JOB = Job(SCAN, scan_duplicates, attempts=_ATTEMPTS)
