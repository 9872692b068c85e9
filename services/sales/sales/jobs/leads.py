"""What time alone does to leads, and scoring them anew by other rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from kernel.jobs.job import Running
from kernel.sql.timers import Timer
from kernel.sql.uow import UnitOfWork
from sales.usecases.follow_up_leads import raise_reminders
from sales.usecases.hand_out_leads import return_hot_leads
from sales.usecases.ports import Work
from sales.usecases.score_leads import rescore_leads

_CHUNK = 200


def return_leads(work: UnitOfWork, timers: Sequence[Timer]) -> None:
    return_hot_leads(cast(Work, work), [UUID(timer.key) for timer in timers])


def remind(work: UnitOfWork, timers: Sequence[Timer]) -> None:
    raise_reminders(cast(Work, work), [UUID(timer.key) for timer in timers])


def rescore(running: Running) -> None:
    """Scores every open lead by the rules in force, a chunk a transaction."""
    after: UUID | None = None
    while True:
        with running.work() as work:
            sales = cast(Work, work)
            ids = sales.leads.open_after(after, _CHUNK)
            rescore_leads(sales, ids)
        if len(ids) < _CHUNK:
            return
        after = ids[-1]
        running.checkpoint()
