"""Deferring a job in the transaction that wants it: it exists when that transaction commits, else never.

Used by api, events and jobs alike, so nothing here may start a worker, a pool or a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy.orm import Session

from kernel.pure.events import encode

# PostgreSQL cuts channel names at 63 bytes, and the library prefixes the queue's name with 23 of its own.
MAX_NAME = 40


def defer(
    session: Session,
    name: str,
    arguments: Mapping[str, object],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
) -> bool:
    """Adds the job `name` for the service's jobs process.

    `arguments` become JSON (ids, days and amounts become text). The job does not start before `at`;
    of jobs with the same `lock` one runs at a time. Answers False, and adds nothing, when a job with
    the same `queueing_lock` is waiting already.
    """
    check_name(name)
    deferrer = {
        # A queue for each job: a process of an older release never takes a job that it does not know.
        "queue": name,
        "lock": lock,
        "queueing_lock": queueing_lock,
        "schedule_at": at,
    }
    values = {key: encode(value) for key, value in arguments.items()}
    if queueing_lock is None:
        _add(session, name, deferrer, values)
        return True
    try:
        # A lock that is taken must not abort the caller's transaction.
        with session.begin_nested():
            _add(session, name, deferrer, values)
    except AlreadyEnqueued:
        return False
    return True


def check_name(name: str) -> None:
    """Raises ValueError when `name` can't be the name of a job."""
    if not name or len(name.encode()) > MAX_NAME:
        raise ValueError(f"a job's name has 1 to {MAX_NAME} bytes: {name!r}")


def _add(session: Session, name: str, deferrer: dict[str, Any], values: dict[str, Any]) -> None:
    session.flush()
    connection = session.connection().connection.driver_connection
    _app().configure_task(name, connection=connection, **deferrer).defer(**values)


@cache
def _app() -> procrastinate.App:
    """Only knows how to write rows; never opened, so it owns no connection."""
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
