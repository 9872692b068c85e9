"""The tour's own computation of tiers and RFM classes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm_cli.tour import cdnow, truth
from crm_cli.tour.cdnow import Purchase

TODAY = date(2026, 11, 22)


def bought(*orders: tuple[int, int]) -> truth.Facts:
    """The facts of a customer with orders given as (days ago, amount)."""
    purchases = [
        Purchase(line, "0001", TODAY - timedelta(days=ago), 1, Decimal(amount))
        for line, (ago, amount) in enumerate(orders, start=1)
    ]
    return truth.facts(purchases, TODAY)["0001"]


def test_it_reproduces_the_tiers_that_research_knows() -> None:
    figures = truth.figures(truth.facts(cdnow.read(), cdnow.LAST_DAY))
    assert figures.tiers == {"core": 5, "important": 78, "basic": 193, "minor": 536, "dormant": 1545}
    assert figures.customers == 2357
    assert figures.orders == 6919
    assert sum(figures.rfm.values()) == 2357


@pytest.mark.parametrize(
    ("amount", "tier"),
    [(0, "minor"), (9_999, "minor"), (10_000, "basic"), (29_999, "basic"), (30_000, "important"),
     (99_999, "important"), (100_000, "core")],
)  # fmt: skip
def test_the_lower_bound_belongs_to_the_tier(amount: int, tier: str) -> None:
    assert bought((5, amount)).tier == tier


def test_a_year_ago_to_the_day_is_out_of_the_trailing_year() -> None:
    assert bought((365, 50_000)).tier == "dormant"
    assert bought((364, 50_000)).tier == "important"
    assert bought((365, 50_000)).total == 50_000


@pytest.mark.parametrize(
    ("days", "orders", "amount", "rfm"),
    [
        (30, 24, 50_000, "high_value"),
        (31, 24, 50_000, "potential"),
        (30, 23, 50_000, "potential"),
        (30, 24, 49_999, "potential"),
        (90, 6, 1, "potential"),
        (90, 1, 10_000, "potential"),
        (90, 5, 9_999, "general"),
        (91, 30, 90_000, "general"),
        (180, 1, 100, "general"),
        (181, 30, 90_000, "churn_warning"),
        (400, 0, 0, "churn_warning"),
    ],
)
def test_the_first_rule_that_holds_decides_the_rfm_class(
    days: int, orders: int, amount: int, rfm: str
) -> None:
    assert truth.rfm(days, orders, Decimal(amount)) == rfm
