"""One form for what people write in several: width, case, traditional characters, accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from opencc import OpenCC

_SIMPLIFY = OpenCC("t2s")
_HAN = re.compile("[\u3400-\u9fff\u3007\U00020000-\U0003ffff]")
# An apostrophe joins (O'Brien, Xi'an); any other mark separates.
_JOINING = dict.fromkeys(map(ord, "'`\u2018\u2019\u02bc\u00b4"))


class _Simplified(dict[int, str]):
    """For str.translate: each character simplified, looked up once."""

    def __missing__(self, ordinal: int) -> str:
        character = chr(ordinal)
        simplified = self[ordinal] = character if ordinal < 128 else str(_SIMPLIFY.convert(character))
        return simplified


_SIMPLIFIED = _Simplified()


def fold(text: str) -> str:
    """`text` in NFKC, simplified characters and lower case: "ＯＵ歐陽" -> "ou欧阳".

    Characters are simplified one by one, whatever stands beside them, so that a part of a text
    folds to the same part of the folded text.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLIFIED)


def is_han(character: str) -> bool:
    """Whether it is a Chinese character."""
    return _HAN.match(character) is not None


def has_han(text: str) -> bool:
    """Whether a Chinese character stands in it."""
    return _HAN.search(text) is not None


@lru_cache(maxsize=16_384)
def units(text: str) -> tuple[str, ...]:
    """The words of a folded text: each Chinese character by itself, other letters and digits as words.

    Accents are dropped: "wáng 小明" -> ("wang", "小", "明").
    """
    if text.isascii():
        return tuple(_WORDS.findall(text.translate(_JOINING)))
    plain = unicodedata.normalize("NFD", text.translate(_JOINING))
    return tuple(_WORDS.findall("".join(filter(_is_no_accent, plain))))


_WORDS = re.compile(
    "[\u3400-\u9fff\u3007\U00020000-\U0003ffff]|[^\\W_\u3400-\u9fff\u3007\U00020000-\U0003ffff]+"
)


def _is_no_accent(character: str) -> bool:
    # Only the accents of Latin, Greek and Cyrillic; in other scripts such marks are letters.
    return not "\u0300" <= character <= "\u036f"
