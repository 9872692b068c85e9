"""A workbook that takes more than it may is too large, whatever it was that stopped its reader."""

from __future__ import annotations

import io
import zipfile
from string import ascii_uppercase

import openpyxl
import pytest

from customer.domain.importing.errors import FileTooLarge, FileUnreadable
from customer.store import spreadsheets
from customer.store.spreadsheets import read_workbook

_MIB = 1 << 20


def workbook(rows: int) -> bytes:
    """One of numbers in 20 columns."""
    plain = io.BytesIO()
    openpyxl.Workbook().save(plain)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, True, 1) as made,
    ):
        for name in source.namelist():
            made.writestr(name, sheet(rows) if name == "xl/worksheets/sheet1.xml" else source.read(name))
    return packed.getvalue()


def sheet(rows: int) -> str:
    body = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{letter}{row}"><v>{row * 7919}</v></c>' for letter in ascii_uppercase[:20])
        + "</row>"
        for row in range(1, rows + 1)
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{body}</sheetData></worksheet>'


def test_one_that_takes_more_memory_than_it_may_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    data = workbook(30_000)
    assert sum(1 for _ in read_workbook([data])) == 30_000
    monkeypatch.setattr(spreadsheets, "_MEMORY", 80 * _MIB)
    with pytest.raises(FileTooLarge):
        list(read_workbook([data]))


def test_a_small_one_takes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "_MEMORY", 80 * _MIB)
    [first, *_] = read_workbook([workbook(10)], rows=2)
    assert first.cells == ["7919"] * 20


def test_what_only_says_that_it_is_one_is_unreadable() -> None:
    with pytest.raises(FileUnreadable):
        list(read_workbook([b"PK\x03\x04" + b"\0" * 100]))
