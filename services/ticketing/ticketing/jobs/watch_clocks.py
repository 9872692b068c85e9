"""Timers of tickets: a response clock reminds or runs out; a resolved ticket is closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kernel.sql.timers import Timer
from ticketing.usecases.change_ticket import close_ticket
from ticketing.usecases.watch_clocks import watch_clocks


def watch(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        watch_clocks(work, UUID(timer.key))


def close(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        close_ticket(work, UUID(timer.key))
