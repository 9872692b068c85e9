"""The timer that removes a deleted customer when it can't be brought back any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customer.usecases.delete_customer import purge_customers as purge
from kernel.sql.timers import Timer


def purge_customers(work: Any, timers: Sequence[Timer]) -> None:
    """Destroys the keys of the customers whose timers fired, and their rows.

    The keys go last before the commit, on a cluster of their own: were it to fail, the timer fires
    again on people whom nobody can read any more.
    """
    purged = purge(work, [UUID(timer.key) for timer in timers])
    work.app.keyring.destroy(purged)
