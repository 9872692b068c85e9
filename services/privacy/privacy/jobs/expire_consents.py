"""A grant that was given for a time ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kernel.sql.timers import Timer
from privacy.usecases.record_consents import expire


def expire_consents(work: Any, timers: Sequence[Timer]) -> None:
    for timer in timers:
        expire(work, UUID(timer.key), UUID(timer.payload["subject"]))
