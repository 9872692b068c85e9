"""Spend tiers by what was bought in the trailing 12 months (C-18).

Lower bounds are inclusive. Below the lowest band but with a deal in the year is `minor`; bought
before but not in the year is `dormant`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from customer.domain.purchases import Purchases, earliest, leaves_year_on
from customer.domain.schemes import Verdict

_TITLES = {
    "core": "核心客户",
    "important": "重要客户",
    "basic": "基础客户",
    "minor": "小额客户",
    "dormant": "沉睡客户",
}


@dataclass(frozen=True)
class SpendTier:
    """`bands`: (class, lower bound of the year's total in the base currency), highest first."""

    bands: tuple[tuple[str, Decimal], ...]

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> SpendTier:
        """From scheme data: {"bands": [["core", "100000"], …]}."""
        bands = tuple((name, Decimal(lower)) for name, lower in rules["bands"])
        return cls(tuple(sorted(bands, key=lambda band: band[1], reverse=True)))

    def decide(self, purchases: Purchases, today: date) -> Verdict:
        if purchases.order_count == 0:
            return Verdict("", purchases.next_on)
        if purchases.year_first_on is None:
            return Verdict("dormant", purchases.next_on)
        reached = (name for name, lower in self.bands if purchases.year_total >= lower)
        review_on = earliest(leaves_year_on(purchases.year_first_on), purchases.next_on)
        return Verdict(next(reached, "minor"), review_on)

    def explain(self) -> list[tuple[str, str, str]]:
        banded = [(name, f"近 12 个月消费不低于 {lower:,}") for name, lower in self.bands]
        others = [
            ("minor", f"近 12 个月有成交，消费低于 {self.bands[-1][1]:,}"),
            ("dormant", "曾经成交，近 12 个月没有成交"),
        ]
        return [(name, _TITLES.get(name, name), rule) for name, rule in banded + others]
