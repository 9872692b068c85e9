"""Gives out a team's tickets that nobody has in hand, when somebody may have room."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from kernel.jobs.job import Job, Running
from ticketing.usecases.change_ticket import give_out
from ticketing.usecases.ports import GIVE_OUT


def _run(running: Running, team_id: str) -> None:
    with running.work() as work:
        give_out(cast(Any, work), UUID(team_id))


JOB = Job(GIVE_OUT, _run)
