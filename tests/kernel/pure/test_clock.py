"""Days of the business zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from kernel.pure.clock import FixedClock, day_start, today, year_before

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_day_begins_at_midnight_of_the_business_zone() -> None:
    clock = FixedClock(SHANGHAI, datetime(2026, 6, 29, 15, 59, tzinfo=UTC))
    assert today(clock) == date(2026, 6, 29)
    clock.instant = day_start(date(2026, 6, 30), SHANGHAI)
    assert clock.instant == datetime(2026, 6, 29, 16, 0, tzinfo=UTC)
    assert today(clock) == date(2026, 6, 30)


def test_a_year_before_the_leap_day_is_the_28th() -> None:
    assert year_before(date(2028, 2, 29)) == date(2027, 2, 28)
