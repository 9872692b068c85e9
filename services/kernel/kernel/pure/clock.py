"""Time: instants in UTC; the business zone makes them days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time; injected, so that rules can be tested at any instant."""

    @property
    def zone(self) -> ZoneInfo:
        """The business zone."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


@dataclass(frozen=True)
class SystemClock:
    zone: ZoneInfo

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is set, for tests."""

    zone: ZoneInfo
    instant: datetime

    def now(self) -> datetime:
        return self.instant


def today(clock: Clock) -> date:
    """The present day in the business zone."""
    return clock.now().astimezone(clock.zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which `day` begins in `zone`."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def year_before(day: date) -> date:
    """The same day of the month 12 months earlier; 28 February for a 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def parse_date(text: str, refuse: Callable[[str, str, str], None]) -> date | None:
    """The day written YYYY-MM-DD in `text`; else calls `refuse(rule, en, zh)` and answers None."""
    # fromisoformat knows week dates too, 2026-W01-1.
    if len(text) == 10 and text[4] == text[7] == "-":
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    refuse("DATE_FORMAT", "must be a day written YYYY-MM-DD", "必须是 YYYY-MM-DD 格式的日期")
    return None
