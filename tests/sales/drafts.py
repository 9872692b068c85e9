"""Orders and products as an ERP sends them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from kernel.pure.ids import new_id
from sales.domain.order import LineDraft, OrderDraft, OrderRules
from sales.domain.product import ProductDraft
from sales.domain.reading import MoneyDraft

RULES = OrderRules(base_currency="CNY", latest_day=date(2027, 7, 1))

ORDER = OrderDraft(
    source="erp",
    value="A-1",
    source_version=1,
    customer_id="01980a5e-7c00-7301-8000-000000000301",
    ordered_on="2026-03-01",
    status="paid",
    lines=(),
    total=MoneyDraft("1177.00", "CNY"),
    refunded=None,
    exchange_rate="",
    rate_on="",
)
PRODUCT = ProductDraft(
    source="erp",
    value="P-1",
    source_version=1,
    name="数据分析插件",
    category="软件",
    list_price=MoneyDraft("99.00", "CNY"),
    discontinued=False,
)


def order(**changes: Any) -> OrderDraft:
    return replace(ORDER, **changes)


def product(**changes: Any) -> ProductDraft:
    return replace(PRODUCT, **changes)


def money(amount: str, currency: str = "CNY") -> MoneyDraft:
    return MoneyDraft(amount, currency)


def line(amount: str, currency: str = "CNY", product: str = "P-1", quantity: str = "1") -> LineDraft:
    return LineDraft(product, quantity, money(amount, currency))


def any_id() -> str:
    return str(new_id())
