"""Response clocks: how much time counts, and when the time allowed is used up (T-11 to T-13).

Pure functions of instants. A span is counted from its start up to, and without, its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

# No clock is followed farther than this: opening hours that never come would be searched for ever.
_HORIZON = timedelta(days=400)


@dataclass(frozen=True, order=True)
class Span:
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


class Hours(Protocol):
    def open_between(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The spans between two instants in which time counts, in order and apart."""


class AllHours:
    """The clock on the wall: time always counts."""

    def open_between(self, start: datetime, end: datetime) -> Iterator[Span]:
        if start < end:
            yield Span(start, end)


@dataclass(frozen=True)
class OpeningHours:
    """The same hours on each working day, in the business zone. An `opens` of `closes` never opens."""

    opens: time
    closes: time
    zone: ZoneInfo
    is_workday: Callable[[date], bool]

    def open_between(self, start: datetime, end: datetime) -> Iterator[Span]:
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            if self.is_workday(day):
                opened = max(start, self._instant(day, self.opens))
                closed = min(end, self._instant(day, self.closes))
                if opened < closed:
                    yield Span(opened, closed)
            day += timedelta(days=1)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants as spans in order and apart."""
    result: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def counted(hours: Hours, start: datetime, end: datetime, pauses: Sequence[Span]) -> Iterator[Span]:
    """The spans from `start` to `end` that count: open hours without pauses, in order and apart."""
    rests = merged(pauses)
    for window in hours.open_between(start, end):
        at = window.start
        for rest in rests:
            if rest.end <= at or rest.start >= window.end:
                continue
            if at < rest.start:
                yield Span(at, rest.start)
            at = max(at, rest.end)
        if at < window.end:
            yield Span(at, window.end)


def elapsed(hours: Hours, start: datetime, end: datetime, pauses: Sequence[Span]) -> timedelta:
    """How much time counted from `start` to `end`."""
    return sum((span.length for span in counted(hours, start, end, pauses)), timedelta())


def due_at(hours: Hours, start: datetime, allowed: timedelta, pauses: Sequence[Span]) -> datetime | None:
    """The first instant at which `allowed` has been counted since `start`, if nothing else pauses it.

    None when that is more than 400 days after the start and all pauses.
    """
    left = allowed
    horizon = max([start, *(pause.end for pause in pauses)]) + _HORIZON
    for span in counted(hours, start, horizon, pauses):
        if span.length >= left:
            return span.start + left
        left -= span.length
    return None


@dataclass(frozen=True)
class Segment:
    """A stretch of a clock's time: `what` is counted, closed_hours, or the name of a pause."""

    span: Span
    what: str


def segments(
    hours: Hours, start: datetime, end: datetime, pauses: Sequence[tuple[Span, str]]
) -> list[Segment]:
    """All time from `start` to `end`, in order: what was counted, and what was left out and why."""
    rests = [span for span, _ in pauses]
    found = [Segment(span, "counted") for span in counted(hours, start, end, rests)]
    # Of pauses that overlap, the one that began first names the time they share.
    told = [segment.span for segment in found]
    for pause, why in sorted(pauses):
        for part in _within(_without([pause], told), start, end):
            found.append(Segment(part, why))
            told.append(part)
    found += [Segment(part, "closed_hours") for part in _without([Span(start, end)], told)]
    return sorted(found, key=lambda segment: segment.span)


def _without(spans: Iterable[Span], taken: Sequence[Span]) -> Iterator[Span]:
    for span in merged(spans):
        yield from counted(AllHours(), span.start, span.end, taken)


def _within(spans: Iterable[Span], start: datetime, end: datetime) -> Iterator[Span]:
    for span in spans:
        part = Span(max(span.start, start), min(span.end, end))
        if part.start < part.end:
            yield part


@dataclass
class Clock:
    """A response clock of one ticket. It counts from `started_at` until the ticket is `until`.

    `name` and `rule_version` say which rule set it. A breach stays, also when the clock is met late.
    """

    name: str
    title: str
    rule_version: int
    minutes: int
    # "wall" or "business".
    hours: str
    # "answered", "planned" or "solved".
    until: str
    # Whether waiting for the customer, and the time in which the ticket counted as solved, are left out.
    pausing: bool
    remind_minutes: int
    started_at: datetime
    due_at: datetime | None = None
    met_at: datetime | None = None
    breached_at: datetime | None = None
    reminded_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def allowed(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def runs(self) -> bool:
        """Whether somebody still has to do something because of it."""
        return self.met_at is None and self.withdrawn_at is None

    @property
    def state(self) -> str:
        if self.breached_at is not None:
            return "breached"
        if self.met_at is not None:
            return "met"
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "running" if self.due_at is not None else "paused"

    def wakes_at(self) -> datetime | None:
        """When it must be looked at again: to remind, then because it runs out; None for never."""
        if not self.runs or self.due_at is None or self.breached_at is not None:
            return None
        remind_at = self.due_at - timedelta(minutes=self.remind_minutes)
        if self.remind_minutes and self.reminded_at is None and remind_at > self.started_at:
            return remind_at
        return self.due_at


def strictest(clocks: Iterable[Clock]) -> Clock | None:
    """The one that is due first of those that run and have not run out; then by name."""
    running = [clock for clock in clocks if clock.runs and clock.breached_at is None and clock.due_at]
    return min(running, key=lambda clock: (clock.due_at, clock.name), default=None)
