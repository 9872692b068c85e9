"""The purchases of CDNOW_sample.txt (see data/README.md), moved so that the last one is made today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).parent / "data" / "CDNOW_sample.txt"
LAST_DAY = date(1998, 6, 30)
# The business zone, Asia/Shanghai: no summer time since 1991, and no need of a zone table.
BUSINESS_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
_YUAN_A_DOLLAR = 100


@dataclass(frozen=True)
class Purchase:
    """One line of the file. `amount` is in CNY; `customer` is the id in the sample, "0001" to "2357"."""

    line: int
    customer: str
    day: date
    discs: int
    amount: Decimal

    @property
    def order_id(self) -> str:
        """The id under which the ERP tells the order: file name and line number."""
        return f"{FILE.name}:{self.line}"


def today() -> date:
    """The day it is now in the business zone."""
    return datetime.now(BUSINESS_ZONE).date()


def read(file: Path = FILE) -> list[Purchase]:
    """All purchases on their real days, in the order of the file."""
    lines = file.read_text(encoding="ascii").splitlines()
    return [_purchase(number, text) for number, text in enumerate(lines, start=1)]


def year_before(day: date) -> date:
    """The same day 12 months earlier; 29 February becomes the 28th. It is the last day outside of the
    year.
    """
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def shifted(purchases: Iterable[Purchase], last: date) -> list[Purchase]:
    """The purchases with all days moved alike, so that LAST_DAY becomes `last`.

    When a 29 February makes the 12 months before `last` a day longer than those before LAST_DAY, what
    lies before them moves one day more: what was inside of the trailing year stays inside, and the known
    truth stays true.
    """
    move = last - LAST_DAY
    border = year_before(LAST_DAY)
    leap = (last - year_before(last)) - (LAST_DAY - border)
    return [replace(p, day=p.day + move - (leap if p.day <= border else timedelta())) for p in purchases]


def _purchase(number: int, text: str) -> Purchase:
    _master, customer, day, discs, dollars = text.split()
    return Purchase(
        line=number,
        customer=customer,
        day=date.fromisoformat(day),
        discs=int(discs),
        amount=Decimal(dollars) * _YUAN_A_DOLLAR,
    )
