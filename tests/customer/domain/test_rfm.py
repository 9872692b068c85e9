"""RFM classes (C-21, C-22)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.purchases import Purchases
from customer.domain.rfm import Rfm
from customer.domain.spend_tier import SpendTier
from kernel.pure.clock import year_before

TODAY = date(2026, 6, 30)
RFM = Rfm.of(
    {
        "high_value": {"r": 30, "f": "2", "m": "50000"},
        "potential": {"r": 90, "f": "0.5", "m": "10000"},
        "churn_warning": {"r": 180},
    }
)
TIERS = SpendTier.of({"bands": [["core", "100000"], ["important", "30000"], ["basic", "10000"]]})


def purchases(orders: list[tuple[date, int]], today: date) -> Purchases:
    """The sums over (day, amount) orders, as the database makes them."""
    made = [(day, amount) for day, amount in orders if day <= today]
    within = [(day, amount) for day, amount in made if year_before(today) < day]
    return Purchases(
        order_count=len(made),
        total=Decimal(sum(amount for _, amount in made)),
        first_on=min((day for day, _ in made), default=None),
        last_on=max((day for day, _ in made), default=None),
        year_order_count=len(within),
        year_total=Decimal(sum(amount for _, amount in within)),
        year_first_on=min((day for day, _ in within), default=None),
        next_on=min((day for day, _ in orders if day > today), default=None),
    )


def regular(recency: int, count: int, amount: int) -> Purchases:
    """`count` orders of `amount` together, the last `recency` days ago."""
    last = TODAY - timedelta(recency)
    return purchases([(last, amount)] + [(last, 0)] * (count - 1), TODAY)


@pytest.mark.parametrize(
    ("recency", "count", "amount", "expected"),
    [
        (30, 24, 50_000, "high_value"),
        (31, 24, 50_000, "potential"),
        (30, 23, 50_000, "potential"),
        (30, 24, 49_999, "potential"),
        (90, 6, 0, "potential"),
        (90, 1, 10_000, "potential"),
        (91, 6, 10_000, "general"),
        (90, 5, 9_999, "general"),
        (180, 24, 90_000, "general"),
        (181, 24, 90_000, "churn_warning"),
    ],
)
def test_classes_at_their_bounds(recency: int, count: int, amount: int, expected: str) -> None:
    assert RFM.decide(regular(recency, count, amount), TODAY).class_ == expected


def test_a_customer_who_never_bought_has_no_class() -> None:
    assert RFM.decide(Purchases(), TODAY).class_ == ""


# Orders may be dated ahead, up to a year and a day.
ORDER = st.tuples(st.dates(TODAY - timedelta(800), TODAY + timedelta(366)), st.integers(0, 80_000))
ORDERS = st.lists(ORDER, min_size=1, max_size=40)


@given(ORDERS)
def test_no_class_changes_before_the_day_of_its_review(orders: list[tuple[date, int]]) -> None:
    """Time alone changes a class only on days for which a timer is set."""
    for rule in (RFM, TIERS):
        verdict = rule.decide(purchases(orders, TODAY), TODAY)
        last = (verdict.review_on or TODAY + timedelta(800)) - timedelta(1)
        assert verdict.review_on is None or verdict.review_on > TODAY
        day = TODAY
        while day <= last:
            assert rule.decide(purchases(orders, day), day).class_ == verdict.class_
            day += timedelta(7)
        assert rule.decide(purchases(orders, last), last).class_ == verdict.class_
