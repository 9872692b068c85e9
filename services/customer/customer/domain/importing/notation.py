"""How people write dates, lists and texts in tables, and the one form in which we take them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]0?0:00(?::00)?(?:\.0+)?)?"
)
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_BETWEEN = re.compile(r"\s*[;；,，、/|\n]\s*")
_BETWEEN_ADDRESSES = re.compile(r"[\s;；,，、/|]+")
# A member in quotes, in which a quote stands twice, may hold what else separates members.
_QUOTED = re.compile(r'(?:^|(?<=[;；,，、/|\n]))\s*"((?:[^"]|"")*)"\s*(?=[;；,，、/|\n]|$)')
_NEEDS_QUOTES = re.compile(r'[\s;；,，、/|"]')


def read_date(text: str) -> str | None:
    """The day written in `text` as YYYY-MM-DD; None when it is none, or could be two.

    Takes 1990-1-5, 1990/1/5, 1990.1.5, 1990年1月5日, 19900105, and 5/1/1990 only where day and month
    can't be taken for one another.
    """
    if _ISO.fullmatch(text):
        return text if _day(*map(int, text.split("-"))) else None
    found = _YEAR_FIRST.fullmatch(text) or _DIGITS.fullmatch(text)
    if found:
        return _day(int(found[1]), int(found[2]), int(found[3]))
    found = _YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    one, other, year = int(found[1]), int(found[2]), int(found[3])
    readings = {_day(year, other, one), _day(year, one, other)} - {None}
    return readings.pop() if len(readings) == 1 else None


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def plain(text: str) -> str:
    """A cell without blanks around it, in NFKC: full-width letters and digits as the usual ones."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def split_list(text: str) -> list[str]:
    """The members of a cell that holds several, in order: "138…；139…"."""
    return _split(text, _BETWEEN)


def split_emails(text: str) -> list[str]:
    return _split(text, _BETWEEN_ADDRESSES)


def join_list(members: Sequence[str]) -> str:
    """A cell that is split into these members again."""
    return "; ".join(_quoted(member) if _NEEDS_QUOTES.search(member) else member for member in members)


def _quoted(member: str) -> str:
    return '"' + member.replace('"', '""') + '"'


def _split(text: str, between: re.Pattern[str]) -> list[str]:
    if '"' not in text:
        return [part for part in between.split(text) if part]
    parts: list[str] = []
    at = 0
    for quoted in _QUOTED.finditer(text):
        parts += between.split(text[at : quoted.start()])
        parts.append(quoted[1].replace('""', '"'))
        at = quoted.end()
    return [part for part in (*parts, *between.split(text[at:])) if part.strip()]


_SIZES = {
    "": "", "micro": "micro", "small": "small", "medium": "medium", "large": "large",
    "微型": "micro", "微": "micro", "小型": "small", "小": "small", "中型": "medium", "中": "medium",
    "大型": "large", "大": "large",
    "微型企业": "micro", "小型企业": "small", "中型企业": "medium", "大型企业": "large",
}  # fmt: skip


def read_size(text: str) -> str | None:
    """The size of a company; None for a word that says none."""
    return _SIZES.get(text.casefold())
