"""What a customer bought, summed over the trailing 12 months (C-06)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Purchases:
    """Sums over orders that were not cancelled, in the base currency.

    An order that is dated ahead counts from its day on: until then only `next_on`, the first of such
    days, speaks of it. The year is the days d with today - 12 calendar months < d <= today.
    `year_first_on` is the oldest order day within it. Days are None where there is no order.
    """

    order_count: int = 0
    total: Decimal = Decimal(0)
    first_on: date | None = None
    last_on: date | None = None
    year_order_count: int = 0
    year_total: Decimal = Decimal(0)
    year_first_on: date | None = None
    next_on: date | None = None


def earliest(*days: date | None) -> date | None:
    """The first of the days that there are."""
    return min((day for day in days if day is not None), default=None)


def leaves_year_on(day: date) -> date:
    """The first day whose trailing 12 months no longer hold `day`."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return date(day.year + 1, 3, 1)
