"""Reads what the ERP wrote as text into values; every refusal names its field and rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from kernel.pure.clock import parse_date
from kernel.pure.errors import Checks, Invalid
from kernel.pure.ids import parse_id
from kernel.pure.money import Money
from sales.domain.erp_record import ErpId

# No purchase that a CRM looks after is older; an earlier day is a slip of the pen.
EARLIEST_DAY = date(1970, 1, 1)
LONGEST_SOURCE = 64
LONGEST_VALUE = 128

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class MoneyDraft:
    """An amount as it was written."""

    amount: str
    currency: str


def read_text(checks: Checks, field: str, text: str, longest: int, *, required: bool = True) -> str:
    """The text itself, without control characters and at most `longest` characters long."""
    if required and not text.strip():
        checks.refuse(field, "REQUIRED", "is required", "必填")
    elif len(text) > longest:
        checks.refuse(field, "TOO_LONG", f"has at most {longest} characters", f"最多 {longest} 个字符")
    elif _CONTROL.search(text):
        checks.refuse(field, "CONTROL_CHARACTERS", "must not hold control characters", "不能包含控制字符")
    return text


def read_external_id(checks: Checks, source: str, value: str) -> ErpId:
    return ErpId(
        read_text(checks, "external_id.source", source, LONGEST_SOURCE),
        read_text(checks, "external_id.value", value, LONGEST_VALUE),
    )


def read_source_version(checks: Checks, version: int) -> int:
    if version < 1:
        checks.refuse("source_version", "REQUIRED", "is required and above 0", "必填且必须大于 0")
    return version


def read_id(checks: Checks, field: str, text: str) -> UUID | None:
    try:
        return parse_id(text, field)
    except Invalid as error:
        checks.found.extend(error.violations)
        return None


def read_day(checks: Checks, field: str, text: str, latest: date) -> date | None:
    """A day from 1970 to `latest`."""
    day = parse_date(text, lambda rule, en, zh: checks.refuse(field, rule, en, zh))
    if day is not None and not EARLIEST_DAY <= day <= latest:
        checks.refuse(
            field,
            "DATE_RANGE",
            f"must lie between {EARLIEST_DAY} and {latest}",
            f"必须在 {EARLIEST_DAY} 至 {latest} 之间",
        )
        return None
    return day


def read_money(checks: Checks, field: str, draft: MoneyDraft | None) -> Money | None:
    """An amount of any sign."""
    if draft is None:
        checks.refuse(field, "REQUIRED", "is required", "必填")
        return None
    try:
        return Money.parse(draft.amount, draft.currency)
    except ValueError as error:
        if str(error) == "CURRENCY_FORMAT":
            checks.refuse(
                f"{field}.currency_code",
                "CURRENCY_FORMAT",
                "must be an ISO 4217 code of three capital letters",
                "必须是 ISO 4217 的三位大写字母代码",
            )
        else:
            checks.refuse(
                f"{field}.amount",
                "AMOUNT_FORMAT",
                "must be a decimal number of at most 15 digits and the currency's fraction digits",
                "必须是十进制数，整数部分最多 15 位，小数位数不超过该货币的位数",
            )
    return None


def read_amount(checks: Checks, field: str, draft: MoneyDraft | None) -> Money | None:
    """An amount of 0 or more."""
    money = read_money(checks, field, draft)
    if money is not None and money.amount < 0:
        checks.refuse(f"{field}.amount", "NEGATIVE", "must not be negative", "不能为负数")
        return None
    return money


def read_positive(checks: Checks, field: str, text: str) -> Decimal | None:
    """A decimal number above 0, as rates and quantities are."""
    if _DECIMAL.fullmatch(text) and (number := Decimal(text)) > 0:
        return number
    checks.refuse(
        field,
        "POSITIVE_DECIMAL",
        "must be a decimal number above 0 with at most 9 digits on each side of the point",
        "必须是大于 0 的十进制数，小数点前后最多各 9 位",
    )
    return None
