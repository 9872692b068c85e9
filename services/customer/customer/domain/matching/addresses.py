"""Comparing street addresses in whatever notation, Chinese or Latin."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from kernel.pure.text.folding import fold, has_han

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NUMERAL = re.compile("第?([〇零一二三四五六七八九十百]+)(?=号|栋|幢|座|单元|楼|室|层|弄|组|排|#|-|[0-9]|$)")
_NUMBER = re.compile("[0-9]+")
# Where a Chinese address leaves the region and begins to be a place in it.
_REGION = re.compile(
    "^(?:中国)?(?:[^省]{2,3}省|[^区]{2,5}自治区)?(?:[^市省区县路街]{2,5}市)?(?:[^市省区县路街号]{1,5}[区县])?"
)
_NOT_HAN = re.compile("[^\u3400-\u9fff]+")
_LINES = re.compile("[,，;；\n]+")
# By these alone neighbouring roads differ: 中山一路, 中山二路; 环城南路, 环城北路.
_TELLING = re.compile("[一二三四五六七八九十东南西北]")
_MARKS = re.compile("[^a-z0-9 ]+")


class Address(NamedTuple):
    """An address read: the words of each line without their numbers, and the numbers in their order.

    Of a Chinese address the one line is the road without its region, up to the first number.
    """

    lines: tuple[str, ...]
    numbers: tuple[str, ...]
    chinese: bool = False

    def __bool__(self) -> bool:
        return bool(self.lines or self.numbers)


NOWHERE = Address((), ())


def read_address(lines: tuple[str, ...], province: str = "", city: str = "") -> Address:
    """Reads the lines of a street address; `province` and `city` are taken off the head of a Chinese one."""
    text = ",".join(filter(None, lines))
    if not text:
        return NOWHERE
    text = fold(text)
    if has_han(text):
        return _chinese(text, _region(province), _region(city))
    return _latin(text)


# The same few names again and again.
_region = lru_cache(maxsize=4096)(fold)


def _chinese(text: str, province: str, city: str) -> Address:
    text = text.replace(" ", "").replace(",", "")
    for region in (province, city):
        if region:
            text = text.removeprefix(region)
    text = _REGION.sub("", text)
    text = _NUMERAL.sub(_arabic, text)
    numbers = tuple(number.lstrip("0") for number in _NUMBER.findall(text))
    road, *_ = _NUMBER.split(text, maxsplit=1)
    road = _NOT_HAN.sub("", road).removesuffix("第") or _NOT_HAN.sub("", text)
    return Address((road,) if road else (), numbers, chinese=True)


def _arabic(match: re.Match[str]) -> str:
    """The numeral in Arabic digits: 十二 -> 12, 三二八 -> 328, 一百零五 -> 105."""
    text = match[1]
    if "十" not in text and "百" not in text:
        return "".join(str(_DIGITS[character]) for character in text)
    total = digit = 0
    for character in text:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(total + digit)


def _latin(text: str) -> Address:
    numbers = tuple(number.lstrip("0") for number in _NUMBER.findall(text))
    lines = (_MARKS.sub("", _NUMBER.sub(" ", line)) for line in _LINES.split(text))
    return Address(tuple(filter(None, (" ".join(line.split()) for line in lines))), numbers)


def address_level(a: Address, b: Address) -> str:
    """exact, near, street (the street alone), disagree or missing."""
    if not a or not b:
        return "missing"
    if a.lines == b.lines and a.numbers == b.numbers:
        return "exact"
    if a.chinese != b.chinese:
        return "missing"
    return _chinese_level(a, b) if a.chinese else _latin_level(a, b)


def _chinese_level(a: Address, b: Address) -> str:
    road = a.lines == b.lines or _alike(a.lines, b.lines)
    if not road:
        return "disagree"
    fewer, more = sorted((a.numbers, b.numbers), key=len)
    if fewer == more[: len(fewer)] or fewer == more[-len(fewer) :]:
        return "near" if fewer else "street"
    if len(fewer) > 1 and len(fewer) == len(more) and _apart(fewer, more) == 1 and fewer[0] == more[0]:
        return "building"
    return "street"


def _apart(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return sum(map(str.__ne__, one, other))


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Roads that differ by a character at most, or of which one ends the other (a region left over)."""
    if not one or not other:
        return False
    a, b = one[0], other[0]
    if a.endswith(b) or b.endswith(a):
        return True
    long_enough = min(len(a), len(b)) > 3
    return (
        long_enough and OSA.distance(a, b, score_cutoff=1) <= 1 and _TELLING.findall(a) == _TELLING.findall(b)
    )


def _latin_level(a: Address, b: Address) -> str:
    shared = not set(a.lines).isdisjoint(b.lines)
    numbers = not set(a.numbers).isdisjoint(b.numbers)
    if shared:
        return "exact" if numbers else "near"
    similarity = max(
        (OSA.normalized_similarity(one, other, score_cutoff=0.7) for one in a.lines for other in b.lines),
        default=0.0,
    )
    if similarity:
        return "near" if numbers or similarity > 0.85 else "street"
    return "disagree"
