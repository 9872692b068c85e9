"""Response clocks count what they say, whatever the order in which their pauses are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.workdays import is_workday
from ticketing.domain.clocks import (
    AllHours,
    Clock,
    Hours,
    OpeningHours,
    Span,
    due_at,
    elapsed,
    segments,
    strictest,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = OpeningHours(time(9), time(18), SHANGHAI, is_workday)
# The week of the National Day holiday of 2026, and the Saturday that makes up for it.
START = datetime(2026, 9, 28, tzinfo=UTC)
INSTANTS = st.integers(0, 14 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
SPANS = st.tuples(INSTANTS, INSTANTS).map(lambda two: Span(min(two), max(two)))
PAUSES = st.lists(SPANS, max_size=5)
HOURS = st.sampled_from(
    [AllHours(), OFFICE, OpeningHours(time(8, 30), time(12), ZoneInfo("Europe/Berlin"), is_workday)]
)
ALLOWED = st.integers(1, 60 * 48).map(lambda minutes: timedelta(minutes=minutes))


def shanghai(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@given(HOURS, INSTANTS, INSTANTS, INSTANTS, PAUSES)
def test_counting_is_additive(
    hours: Hours, one: datetime, two: datetime, three: datetime, pauses: list[Span]
) -> None:
    a, b, c = sorted((one, two, three))
    whole = elapsed(hours, a, c, pauses)
    assert elapsed(hours, a, b, pauses) + elapsed(hours, b, c, pauses) == whole
    assert timedelta() <= elapsed(hours, a, b, pauses) <= whole <= c - a


@given(HOURS, SPANS, PAUSES, st.randoms(use_true_random=False))
def test_the_order_of_pauses_and_telling_one_twice_change_nothing(
    hours: Hours, span: Span, pauses: list[Span], random: object
) -> None:
    shuffled = [*pauses, *pauses[:1]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert elapsed(hours, span.start, span.end, shuffled) == elapsed(hours, span.start, span.end, pauses)


@given(HOURS, INSTANTS, ALLOWED, PAUSES)
def test_a_clock_is_due_when_exactly_what_was_allowed_has_been_counted(
    hours: Hours, start: datetime, allowed: timedelta, pauses: list[Span]
) -> None:
    due = due_at(hours, start, allowed, pauses)
    assert due is not None
    assert elapsed(hours, start, due, pauses) == allowed
    assert elapsed(hours, start, due - timedelta(seconds=1), pauses) < allowed


@given(HOURS, INSTANTS, ALLOWED, PAUSES, SPANS)
def test_another_pause_never_makes_a_clock_due_earlier(
    hours: Hours, start: datetime, allowed: timedelta, pauses: list[Span], more: Span
) -> None:
    before, after = due_at(hours, start, allowed, pauses), due_at(hours, start, allowed, [*pauses, more])
    assert before is not None
    assert after is not None
    assert before <= after


@given(HOURS, SPANS, st.lists(st.tuples(SPANS, st.sampled_from(["waiting", "solved"])), max_size=4))
def test_the_explanation_accounts_for_every_second(
    hours: Hours, span: Span, pauses: list[tuple[Span, str]]
) -> None:
    told = segments(hours, span.start, span.end, pauses)
    assert sum((one.span.length for one in told), timedelta()) == span.length
    assert all(left.span.end == right.span.start for left, right in pairwise(told))
    counted = [one.span.length for one in told if one.what == "counted"]
    rests = [rest for rest, _ in pauses]
    assert sum(counted, timedelta()) == elapsed(hours, span.start, span.end, rests)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        # Within one day; over the night.
        (shanghai(29, 10, month=9), 240, shanghai(29, 14, month=9)),
        (shanghai(29, 16, month=9), 240, shanghai(30, 11, month=9)),
        # Before opening.
        (shanghai(29, 3, month=9), 60, shanghai(29, 10, month=9)),
        # 1 to 7 October is a holiday; Saturday the 10th makes up for it.
        (shanghai(30, 17, month=9), 120, shanghai(8, 10)),
        (shanghai(9, 17), 120, shanghai(10, 10)),
        # Sunday the 11th is free.
        (shanghai(10, 17), 120, shanghai(12, 10)),
    ],
)
def test_business_hours_follow_the_calendar_of_china(start: datetime, minutes: int, due: datetime) -> None:
    assert due_at(OFFICE, start, timedelta(minutes=minutes), []) == due


def test_a_year_not_announced_yet_has_its_weekends() -> None:
    assert [is_workday(date(2031, 1, day)) for day in (10, 11, 12, 13)] == [True, False, False, True]


def test_hours_that_never_open_are_never_due() -> None:
    never = OpeningHours(time(9), time(18), SHANGHAI, lambda day: False)
    assert due_at(never, START, timedelta(minutes=1), []) is None


def clock(name: str, minutes: int, **more: object) -> Clock:
    made = Clock(name, "", 1, minutes, "wall", "answered", False, 15, START, **more)  # type: ignore[arg-type]
    made.due_at = START + timedelta(minutes=minutes)
    return made


@given(
    st.permutations(
        [clock("plan", 1440), clock("answer", 60), clock("also", 60), clock("met", 5, met_at=START)]
    )
)
def test_what_is_due_next_is_the_strictest_whatever_the_order(clocks: list[Clock]) -> None:
    found = strictest(clocks)
    assert found is not None
    assert found.name == "also"


def test_a_clock_wakes_to_remind_and_then_to_run_out() -> None:
    one = clock("answer", 60)
    assert one.wakes_at() == START + timedelta(minutes=45)
    one.reminded_at = START + timedelta(minutes=45)
    assert one.wakes_at() == START + timedelta(minutes=60)
    one.breached_at = one.due_at
    assert one.wakes_at() is None
