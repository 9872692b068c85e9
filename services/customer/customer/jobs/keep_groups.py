"""The timers that keep the members of groups those whom the rules select."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from customer.usecases.keep_groups import keep_groups as keep
from customer.usecases.ports import KEEP_GROUPS
from kernel.sql.timers import Timer

# How long a change waits to be noticed, at most.
_PAUSE = timedelta(seconds=1)


def keep_groups(work: Any, timers: Sequence[Timer]) -> None:
    """Takes one step, and sets the timer again: at once while there is something to do.

    There is one such timer, and whoever has it in hand holds its row: nobody else decides meanwhile.
    """
    busy = keep(work)
    work.schedule(KEEP_GROUPS, "", work.now if busy else work.now + _PAUSE)


def review_groups(work: Any, timers: Sequence[Timer]) -> None:
    """Lets the customers whose day has come be looked at again."""
    work.memberships.put_changed([UUID(timer.key) for timer in timers])
