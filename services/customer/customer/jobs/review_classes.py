"""The timer that looks at a customer's classes on the day when time alone may change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customer.usecases.classify_customers import classify_customers
from kernel.sql.timers import Timer


def review_classes(work: Any, timers: Sequence[Timer]) -> None:
    """Classifies the customers whose timers fired; sets their next timers."""
    classify_customers(work, [UUID(timer.key) for timer in timers])
