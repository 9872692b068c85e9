"""RFM classes: recency, frequency, monetary value (C-21, C-22).

R is the days since the last order; F the orders a month and M the amount, both over the trailing
12 months. All thresholds are inclusive and come from the scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from customer.domain.purchases import Purchases, earliest, leaves_year_on
from customer.domain.schemes import Verdict

_MONTHS = 12


@dataclass(frozen=True)
class Rfm:
    """Recencies in days, frequencies in orders a month, amounts in the base currency."""

    high_recency: int
    high_frequency: Decimal
    high_amount: Decimal
    potential_recency: int
    potential_frequency: Decimal
    potential_amount: Decimal
    churn_recency: int

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Rfm:
        """From scheme data: "high_value" and "potential" with "r", "f", "m"; "churn_warning" with "r"."""
        high, potential = rules["high_value"], rules["potential"]
        return cls(
            high_recency=high["r"],
            high_frequency=Decimal(high["f"]),
            high_amount=Decimal(high["m"]),
            potential_recency=potential["r"],
            potential_frequency=Decimal(potential["f"]),
            potential_amount=Decimal(potential["m"]),
            churn_recency=rules["churn_warning"]["r"],
        )

    def decide(self, purchases: Purchases, today: date) -> Verdict:
        if purchases.last_on is None:
            return Verdict("", purchases.next_on)
        recency = (today - purchases.last_on).days
        frequency = Decimal(purchases.year_order_count) / _MONTHS
        amount = purchases.year_total
        review_on = self._review_on(purchases, recency)
        if recency > self.churn_recency:
            return Verdict("churn_warning", review_on)
        if recency <= self.high_recency and frequency >= self.high_frequency and amount >= self.high_amount:
            return Verdict("high_value", review_on)
        if recency <= self.potential_recency and (
            frequency >= self.potential_frequency or amount >= self.potential_amount
        ):
            return Verdict("potential", review_on)
        return Verdict("general", review_on)

    def explain(self) -> list[tuple[str, str, str]]:
        return [
            (
                "high_value",
                "高价值客户",
                f"最近一次成交在 {self.high_recency} 天内，每月不少于 {self.high_frequency} 次，"
                f"近 12 个月金额不低于 {self.high_amount:,}",
            ),
            (
                "potential",
                "潜力客户",
                f"最近一次成交在 {self.potential_recency} 天内，且每月不少于 {self.potential_frequency} 次"
                f"或近 12 个月金额不低于 {self.potential_amount:,}",
            ),
            ("general", "一般客户", "其他曾经成交的客户"),
            ("churn_warning", "流失预警客户", f"超过 {self.churn_recency} 天没有成交"),
        ]

    def _review_on(self, purchases: Purchases, recency: int) -> date | None:
        """The next day on which a recency bound is passed, an order leaves the year, or one that is dated
        ahead begins to count."""
        assert purchases.last_on is not None
        bounds = (self.high_recency, self.potential_recency, self.churn_recency)
        days = [purchases.last_on + timedelta(bound + 1) for bound in bounds if bound >= recency]
        if purchases.year_first_on is not None and recency <= self.churn_recency:
            days.append(leaves_year_on(purchases.year_first_on))
        return earliest(*days, purchases.next_on)
