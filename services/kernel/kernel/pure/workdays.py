"""Working days of China: weekends, holidays, and the weekend days that make up for holidays."""

from __future__ import annotations

from datetime import date

import chinese_calendar


def is_workday(day: date) -> bool:
    """Whether people work on `day`; of a year not announced yet, whether it is Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5
