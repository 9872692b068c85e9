"""Spend tiers (C-18)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.purchases import Purchases, leaves_year_on
from customer.domain.spend_tier import SpendTier
from kernel.pure.clock import year_before

TODAY = date(2026, 6, 30)
TIERS = SpendTier.of({"bands": [["core", "100000"], ["important", "30000"], ["basic", "10000"]]})


def bought(year_total: str, first: date | None = TODAY) -> Purchases:
    return Purchases(
        order_count=1,
        total=Decimal(year_total),
        last_on=TODAY,
        year_order_count=1,
        year_total=Decimal(year_total),
        year_first_on=first,
    )


@pytest.mark.parametrize(
    ("year_total", "tier"),
    [
        ("100000", "core"),
        ("99999.99", "important"),
        ("30000", "important"),
        ("29999.99", "basic"),
        ("10000", "basic"),
        ("9999.99", "minor"),
        ("0", "minor"),
    ],
)
def test_lower_bounds_are_inclusive(year_total: str, tier: str) -> None:
    assert TIERS.decide(bought(year_total), TODAY).class_ == tier


def test_a_customer_who_never_bought_has_no_tier() -> None:
    assert TIERS.decide(Purchases(), TODAY).class_ == ""


def test_a_customer_who_bought_only_before_the_year_is_dormant() -> None:
    old = Purchases(order_count=3, total=Decimal(500_000), last_on=date(2024, 1, 1))
    assert TIERS.decide(old, TODAY).class_ == "dormant"


def test_a_dormant_customer_is_not_looked_at_again_by_time_alone() -> None:
    old = Purchases(order_count=3, total=Decimal(500_000), last_on=date(2024, 1, 1))
    assert TIERS.decide(old, TODAY).review_on is None


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_leaves_the_year_on_the_first_day_that_does_not_hold_it(day: date) -> None:
    leaves = leaves_year_on(day)
    assert not day > year_before(leaves)
    assert day > year_before(leaves - timedelta(1))
