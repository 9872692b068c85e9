"""What the system must show, computed here from the purchases and the rules as they are written down.

Nothing of the system's own code takes part: two computations that agree are worth more than one run twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crm_cli.tour.cdnow import Purchase, year_before

TIER_SCHEME = "spend_tier"
RFM_SCHEME = "rfm"

# Spend tiers of the sample on its last day, as research knows them.
KNOWN_TIERS: Mapping[str, int] = {"core": 5, "important": 78, "basic": 193, "minor": 536, "dormant": 1545}
# RFM classes, best first.
RFM_CLASSES = ("high_value", "potential", "general", "churn_warning")
KNOWN_CUSTOMERS = 2357
KNOWN_ORDERS = 6919

_TIER_FLOORS = (("core", Decimal(100_000)), ("important", Decimal(30_000)), ("basic", Decimal(10_000)))


@dataclass(frozen=True)
class Facts:
    """What the 360° view of one customer must say. Amounts in CNY."""

    orders: int
    total: Decimal
    year_orders: int
    year_total: Decimal
    first_day: date
    last_day: date
    tier: str
    rfm: str


@dataclass(frozen=True)
class Figures:
    """The facts of all customers together: what stays the same however often the feed is sent."""

    customers: int
    orders: int
    total: Decimal
    tiers: Mapping[str, int]
    rfm: Mapping[str, int]


def facts(purchases: Iterable[Purchase], today: date) -> dict[str, Facts]:
    """The facts of each customer, by their id in the file, as of `today`."""
    bought: dict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        bought[purchase.customer].append(purchase)
    return {customer: _facts(theirs, today) for customer, theirs in bought.items()}


def figures(of: Mapping[str, Facts]) -> Figures:
    """The sums and class counts of many customers."""
    return Figures(
        customers=len(of),
        orders=sum(f.orders for f in of.values()),
        total=sum((f.total for f in of.values()), Decimal()),
        tiers=_counted((f.tier for f in of.values()), KNOWN_TIERS),
        rfm=_counted((f.rfm for f in of.values()), RFM_CLASSES),
    )


def _counted(classes: Iterable[str], best_first: Iterable[str]) -> dict[str, int]:
    """How many of each class there are, the known ones in their order."""
    counts = Counter(classes)
    ordered = {name: counts.pop(name) for name in best_first if name in counts}
    return ordered | counts


def tier(year_orders: int, year_total: Decimal) -> str:
    """The spend tier of a customer who has ever bought. Lower bounds belong to the tier."""
    if not year_orders:
        return "dormant"
    return next((name for name, floor in _TIER_FLOORS if year_total >= floor), "minor")


def rfm(days_since_last: int, year_orders: int, year_total: Decimal) -> str:
    """The RFM class of a customer who has ever bought: the first rule that holds.

    R is days since the last order; F, orders a month, and M, the amount, are of the trailing 12 months.
    Twice a month is therefore 24 orders, once in two months 6.
    """
    if days_since_last <= 30 and year_orders >= 24 and year_total >= 50_000:
        return "high_value"
    if days_since_last <= 90 and (year_orders >= 6 or year_total >= 10_000):
        return "potential"
    return "churn_warning" if days_since_last > 180 else "general"


def _facts(theirs: list[Purchase], today: date) -> Facts:
    border = year_before(today)
    of_year = [p.amount for p in theirs if border < p.day <= today]
    year_total = sum(of_year, Decimal())
    last_day = max(p.day for p in theirs)
    return Facts(
        orders=len(theirs),
        total=sum((p.amount for p in theirs), Decimal()),
        year_orders=len(of_year),
        year_total=year_total,
        first_day=min(p.day for p in theirs),
        last_day=last_day,
        tier=tier(len(of_year), year_total),
        rfm=rfm((today - last_day).days, len(of_year), year_total),
    )
