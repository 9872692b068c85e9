"""An order: what a customer bought, as the ERP tells it, and what it is worth in the base currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from kernel.pure.errors import Checks, Invalid
from kernel.pure.money import Money
from sales.domain.erp_record import ErpId
from sales.domain.reading import (
    LONGEST_VALUE,
    MoneyDraft,
    read_amount,
    read_day,
    read_external_id,
    read_id,
    read_money,
    read_positive,
    read_source_version,
    read_text,
)

MOST_LINES = 500
# Amounts in the base currency stay below this, so that everybody can hold them exactly.
_LARGEST_BASE_AMOUNT = Decimal(10) ** 15


class OrderStatus(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    DELIVERED = "delivered"
    # Counts nowhere.
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class LineDraft:
    """An order line as it was sent."""

    product: str
    quantity: str
    amount: MoneyDraft | None


@dataclass(frozen=True)
class OrderDraft:
    """An order as it was sent; a text that was left out is empty."""

    source: str
    value: str
    source_version: int
    customer_id: str
    ordered_on: str
    status: str
    lines: Sequence[LineDraft]
    total: MoneyDraft | None
    refunded: MoneyDraft | None
    exchange_rate: str
    rate_on: str


@dataclass(frozen=True)
class OrderRules:
    """What rules about orders need to know of the installation and the day."""

    # ISO 4217 of the currency in which customers are compared.
    base_currency: str
    # The last day an order may be dated.
    latest_day: date


@dataclass(frozen=True)
class OrderLine:
    # External id of the product at the same source; the product need not be known.
    product: str
    quantity: Decimal
    # Below zero for a rebate.
    amount: Money


@dataclass(frozen=True)
class Exchange:
    """`rate` units of the base currency for one of the order's, as of the day `on`."""

    rate: Decimal
    on: date


@dataclass(frozen=True)
class Order:
    external_id: ErpId
    source_version: int
    customer_id: UUID
    # In the business zone.
    ordered_on: date
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    total: Money
    # In the currency of the total, at most the total.
    refunded: Money
    # None for an order in the base currency.
    exchange: Exchange | None
    # (total - refunded) in the base currency.
    base: Money


def read_order(draft: OrderDraft, rules: OrderRules) -> Order:
    """The order that was sent. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    external_id = read_external_id(checks, draft.source, draft.value)
    source_version = read_source_version(checks, draft.source_version)
    customer_id = read_id(checks, "customer_id", draft.customer_id)
    ordered_on = read_day(checks, "ordered_on", draft.ordered_on, rules.latest_day)
    status = _read_status(checks, draft.status)
    total = read_amount(checks, "total", draft.total)
    lines = _read_lines(checks, draft.lines, total)
    refunded = _read_refunded(checks, draft.refunded, total)
    exchange = _read_exchange(checks, draft, total, rules)
    base = _base_amount(checks, total, refunded, exchange, rules)
    if (
        checks.found
        or customer_id is None
        or ordered_on is None
        or status is None
        or total is None
        or refunded is None
        or base is None
    ):
        raise Invalid.of(*checks.found)
    return Order(
        external_id=external_id,
        source_version=source_version,
        customer_id=customer_id,
        ordered_on=ordered_on,
        status=status,
        lines=lines,
        total=total,
        refunded=refunded,
        exchange=exchange,
        base=base,
    )


def _read_status(checks: Checks, text: str) -> OrderStatus | None:
    """An order of which the ERP tells no status is placed."""
    try:
        return OrderStatus(text or "placed")
    except ValueError:
        checks.refuse("status", "STATUS", "must be a known status", "必须是已知的状态")
        return None


def _read_lines(checks: Checks, drafts: Sequence[LineDraft], total: Money | None) -> tuple[OrderLine, ...]:
    """The lines; together they make the total."""
    if len(drafts) > MOST_LINES:
        checks.refuse("lines", "TOO_MANY", f"holds at most {MOST_LINES} lines", f"最多 {MOST_LINES} 行")
        return ()
    lines = [_read_line(checks, f"lines[{index}]", draft, total) for index, draft in enumerate(drafts)]
    read = tuple(line for line in lines if line is not None)
    if total is None or len(read) < len(lines):
        return read
    if read and sum(line.amount.amount for line in read) != total.amount:
        checks.refuse(
            "total.amount", "SUM_OF_LINES", "must be the sum of the lines' amounts", "必须等于各行金额之和"
        )
    return read


def _read_line(checks: Checks, field: str, draft: LineDraft, total: Money | None) -> OrderLine | None:
    product = read_text(checks, f"{field}.product", draft.product, LONGEST_VALUE)
    quantity = read_positive(checks, f"{field}.quantity", draft.quantity)
    amount = read_money(checks, f"{field}.amount", draft.amount)
    if quantity is None or amount is None:
        return None
    return (
        OrderLine(product, quantity, amount)
        if _same_currency(checks, f"{field}.amount", amount, total)
        else None
    )


def _read_refunded(checks: Checks, draft: MoneyDraft | None, total: Money | None) -> Money | None:
    if draft is None:
        return total and Money.zero(total.currency)
    refunded = read_amount(checks, "refunded", draft)
    if refunded is None or total is None or not _same_currency(checks, "refunded", refunded, total):
        return None
    if refunded.amount > total.amount:
        checks.refuse("refunded.amount", "ABOVE_TOTAL", "must not be above the total", "不能超过订单总额")
        return None
    return refunded


def _same_currency(checks: Checks, field: str, money: Money, total: Money | None) -> bool:
    if total is None or money.currency == total.currency:
        return True
    checks.refuse(
        f"{field}.currency_code", "OTHER_CURRENCY", "must be that of the total", "必须与总额的货币相同"
    )
    return False


def _read_exchange(
    checks: Checks, draft: OrderDraft, total: Money | None, rules: OrderRules
) -> Exchange | None:
    """The exchange of an order in another currency; None for one in the base currency."""
    if total is None:
        return None
    if total.currency != rules.base_currency:
        rate = read_positive(checks, "exchange_rate", draft.exchange_rate)
        on = read_day(checks, "rate_on", draft.rate_on, rules.latest_day)
        return None if rate is None or on is None else Exchange(rate, on)
    # Some ERPs tell a rate of 1 for their own currency.
    if draft.exchange_rate and read_positive(checks, "exchange_rate", draft.exchange_rate) not in (None, 1):
        checks.refuse(
            "exchange_rate",
            "BASE_CURRENCY",
            "must be 1 or absent in the base currency",
            "本位币的汇率必须为 1 或不填",
        )
    return None


def _base_amount(
    checks: Checks, total: Money | None, refunded: Money | None, exchange: Exchange | None, rules: OrderRules
) -> Money | None:
    """(total - refunded) in the base currency; None when something it needs was refused."""
    if total is None or refunded is None:
        return None
    paid = total - refunded
    if total.currency == rules.base_currency:
        return paid
    if exchange is None:
        return None
    base = paid.converted(exchange.rate, rules.base_currency)
    if base.amount >= _LARGEST_BASE_AMOUNT:
        checks.refuse(
            "exchange_rate",
            "BASE_AMOUNT",
            "makes the amount in the base currency too large",
            "使本位币金额过大",
        )
        return None
    return base
