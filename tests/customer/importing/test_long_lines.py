"""A line that is too long costs itself and nothing else, and a header that is one says so."""

from __future__ import annotations

import pytest

from customer.domain.importing.csv_files import read_csv
from customer.domain.importing.errors import HeaderTooLong

LONGEST = 1 << 20


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1, 2 * LONGEST, 3 * LONGEST + 7])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_row_behind_is_read(length: int, end: bytes) -> None:
    """`length` with its end."""
    row = b"x" * (length - len(end)) + end
    header, broken, good = read_csv([b"name,phone" + end, row, b"Li,138" + end], "utf-8")
    assert header.cells == ["name", "phone"]
    assert broken.broken == "ROW_FORMAT"
    assert good.cells == ["Li", "138"]


def test_a_row_that_is_just_not_too_long_is_one() -> None:
    cells = ",".join(["x" * 100_000] * 10)
    _, row = read_csv([b"name\n", cells.encode() + b"\n"], "utf-8")
    assert not row.broken


def test_a_header_that_is_too_long_says_so() -> None:
    with pytest.raises(HeaderTooLong) as refused:
        list(read_csv([b"a" * (2 * LONGEST)], "utf-8"))
    assert [(v.field, v.rule) for v in refused.value.violations] == [("upload_id", "LINE_LENGTH")]
