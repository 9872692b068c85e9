"""The file of purchases and the move of its days."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crm_cli.tour import cdnow, truth

PURCHASES = cdnow.read()
REAL_FIGURES = truth.figures(truth.facts(PURCHASES, cdnow.LAST_DAY))


def test_the_file_holds_what_is_known_of_it() -> None:
    assert len(PURCHASES) == truth.KNOWN_ORDERS
    assert len({purchase.customer for purchase in PURCHASES}) == truth.KNOWN_CUSTOMERS
    assert max(purchase.day for purchase in PURCHASES) == cdnow.LAST_DAY
    assert all(purchase.discs > 0 and purchase.amount >= 0 for purchase in PURCHASES)


def test_identical_lines_are_purchases_with_ids_of_their_own() -> None:
    lines = Counter((p.customer, p.day, p.discs, p.amount) for p in PURCHASES)
    assert sum(times - 1 for times in lines.values()) == 21
    assert Counter(lines.values()) == {1: 6879, 2: 17, 3: 2}
    assert len({purchase.order_id for purchase in PURCHASES}) == truth.KNOWN_ORDERS
    assert PURCHASES[0].order_id == "CDNOW_sample.txt:1"


@settings(max_examples=25, deadline=None)
@given(st.dates(date(2024, 1, 1), date(2060, 12, 31)))
def test_the_last_purchase_is_today_and_the_figures_stay_whatever_day_it_is(today: date) -> None:
    moved = cdnow.shifted(PURCHASES, today)
    assert max(purchase.day for purchase in moved) == today
    assert truth.figures(truth.facts(moved, today)) == REAL_FIGURES


def test_days_move_alike_except_across_a_leap_day_in_the_trailing_year() -> None:
    first = PURCHASES[0]
    plain = cdnow.shifted(PURCHASES, date(2026, 11, 22))[0]
    assert plain.day - first.day == date(2026, 11, 22) - cdnow.LAST_DAY
    leap = cdnow.shifted(PURCHASES, date(2028, 6, 30))[0]
    assert leap.day - first.day == date(2028, 6, 30) - cdnow.LAST_DAY - timedelta(days=1)


def test_the_day_before_a_year_of_29_february_is_the_28th() -> None:
    assert cdnow.year_before(date(2028, 2, 29)) == date(2027, 2, 28)
    assert cdnow.year_before(date(2027, 2, 28)) == date(2026, 2, 28)
