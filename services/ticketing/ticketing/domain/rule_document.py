"""A rule book as it is written: JSON, of the shape that the reader of its rules takes for granted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kernel.pure.errors import Checks, Invalid, Violation

LONGEST_DOCUMENT = 200_000
_LISTS = ("word_lists", "kinds", "topics", "priorities", "routing", "clocks")
_PARTS = ("linking", "hours")
_KNOWN = {*_LISTS, *_PARTS, "capacity", "close_after_days", "survey_days"}


def read_document(text: str) -> Mapping[str, Any]:
    """The document of a text. Raises Invalid naming what has the wrong shape."""
    if len(text) > LONGEST_DOCUMENT:
        raise Invalid.of(_wrong(f"must have at most {LONGEST_DOCUMENT} characters"))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid.of(_wrong("must be JSON")) from None
    if not isinstance(document, dict):
        raise Invalid.of(_wrong("must be a JSON object"))
    checks = Checks()
    for name in sorted(document.keys() - _KNOWN):
        checks.refuse(name[:63], "UNKNOWN", "is no part of a rule book", "不是规则手册的组成部分")
    for name in _LISTS:
        members = document.get(name, [])
        if not isinstance(members, list) or not all(_is_entry(member) for member in members):
            checks.refuse(name, "SHAPE", "must be a list of objects", "必须是对象列表")
    for name in _PARTS:
        part = document.get(name, {})
        if not isinstance(part, dict) or not all(_is_plain(value) for value in part.values()):
            checks.refuse(name, "SHAPE", "must be an object", "必须是对象")
    checks.raise_if_any()
    return document


def _is_entry(member: object) -> bool:
    """An object whose members are plain; what is called words is a list."""
    return isinstance(member, dict) and all(
        isinstance(value, list) == (name == "words") and _is_plain(value) for name, value in member.items()
    )


def _is_plain(value: object) -> bool:
    members = value if isinstance(value, list) else [value]
    return all(isinstance(member, str | int | float | bool) for member in members)


def _wrong(en: str) -> Violation:
    return Violation("", "DOCUMENT", en, "必须是规则手册的 JSON 文档")
