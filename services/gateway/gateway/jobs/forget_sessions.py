"""The hourly sweep of sessions, refresh tokens and revocations that are over."""

from __future__ import annotations

from typing import Any

from gateway.usecases.forget_sessions import forget_sessions
from kernel.jobs.job import Job, Running

_CHUNK = 1_000


def _forget(running: Running) -> None:
    more = True
    while more:
        with running.work() as opened:
            work: Any = opened
            more = forget_sessions(work, _CHUNK)
        running.checkpoint()


FORGET_SESSIONS = Job("forget_sessions", _forget, every="23 * * * *")
