"""Values in events that are none are refused for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from kernel.bus import facts
from kernel.pure.errors import Invalid


class Colour(StrEnum):
    RED = "red"


def _colour(text: str, field: str) -> Colour:
    return facts.choice(Colour, text, field)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (facts.day, "2026-03-01", date(2026, 3, 1)),
        (facts.instant, "2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (facts.amount, "-64250.50", Decimal("-64250.50")),
        (facts.digest, "00ff", b"\x00\xff"),
        (_colour, "red", Colour.RED),
    ],
)
def test_a_value_is_read(read: Callable[[str, str], Any], text: str, value: object) -> None:
    assert read(text, "field") == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (facts.day, ""),
        (facts.instant, "yesterday"),
        (facts.instant, "2026-03-01T08:00:00"),
        (facts.day, "2026-02-30"),
        (facts.amount, ""),
        (facts.amount, "NaN"),
        (facts.amount, "Infinity"),
        (facts.digest, "0"),
        (_colour, "blue"),
    ],
)
def test_what_is_none_is_refused_for_good_by_its_field(read: Callable[[str, str], Any], text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text, "orders.field")
    assert [violation.field for violation in refused.value.violations] == ["orders.field"]
    assert not refused.value.transient
