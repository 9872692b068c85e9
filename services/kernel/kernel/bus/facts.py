"""Values in events, read as what they mean.

What is none can't be mended by waiting: Invalid sends the event to the dead letters at once.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from kernel.pure.errors import Invalid, Violation

E = TypeVar("E", bound=StrEnum)


def day(text: str, field: str) -> date:
    """The day written YYYY-MM-DD. Raises Invalid naming `field`, as all of these."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refused(field, "DAY_FORMAT", "must be a day, YYYY-MM-DD", "必须是日期 YYYY-MM-DD") from None


def instant(text: str, field: str) -> datetime:
    """The instant written as in RFC 3339."""
    at = None
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
    if at is None or at.tzinfo is None:
        raise _refused(field, "INSTANT_FORMAT", "must be an instant with its zone", "必须是带时区的时间")
    return at


def amount(text: str, field: str) -> Decimal:
    """The decimal number written in `text`."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise _refused(field, "AMOUNT_FORMAT", "must be a decimal number", "必须是十进制数")
    return number


def digest(text: str, field: str) -> bytes:
    """The bytes written in hexadecimal."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _refused(field, "HEX_FORMAT", "must be hexadecimal", "必须是十六进制数") from None


def choice(kind: type[E], text: str, field: str) -> E:
    """The member of an enumeration with this value."""
    try:
        return kind(text)
    except ValueError:
        names = ", ".join(kind)
        raise _refused(field, "UNKNOWN_VALUE", f"must be one of {names}", f"必须是 {names} 之一") from None


def _refused(field: str, rule: str, en: str, zh: str) -> Invalid:
    return Invalid.of(Violation(field, rule, en, zh))
