"""Contracts end with time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from kernel.sql.timers import Timer
from kernel.sql.uow import UnitOfWork
from sales.usecases.keep_contracts import age_contracts
from sales.usecases.ports import Work


def watch_contracts(work: UnitOfWork, timers: Sequence[Timer]) -> None:
    """Tells those that are about to end, or have ended."""
    age_contracts(cast(Work, work), [UUID(timer.key) for timer in timers])
