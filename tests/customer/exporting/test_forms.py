"""What is written reads back as it was, and no spreadsheet carries it out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from customer.domain.exporting.forms import Form, flat, form_of, harmless
from customer.domain.exporting.runs import Options
from customer.domain.importing.notation import join_list, split_emails, split_list

FIELDS = ("person.full_name", "industry", "tags")
DANGEROUS = ("=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", " =1", "\u3000+1")
# What a customer's fields may hold: no control characters, which the domain refuses; any script.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
ODD = st.one_of(TEXT, st.sampled_from(["_x0041_", "_x005F_x0041_", "<&>", '"', "", "'=1", *DANGEROUS]))
PAGES = st.lists(st.lists(st.tuples(ODD, ODD, st.lists(ODD, max_size=3)), max_size=4), min_size=1, max_size=4)


def options(format: str, raw: bool = False) -> Options:
    return Options("", FIELDS, format, "a test", raw, "", "zh")


def written(format: str, pages: Sequence[Sequence[Sequence[Any]]], raw: bool = False) -> bytes:
    """A file whose every page is written by another process than the one before."""
    data, form = b"", form_of(options(format, raw), {})
    for number, page in enumerate(pages):
        data += form.begin() if number == 0 else b""
        data += form.rows(page)
        form = passed_on(format, raw, form)
    return data + form.end()


def passed_on(format: str, raw: bool, form: Form) -> Form:
    return form_of(options(format, raw), json.loads(json.dumps(dict(form.state))))


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_cell_that_would_be_a_formula_is_quoted_and_marked_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"
    line = written("csv", [[(text, "", [])]]).decode("utf-8-sig").split("\r\n", 1)[1]
    assert line.startswith("\"'")


@given(TEXT)
def test_no_harmless_cell_begins_as_a_formula(text: str) -> None:
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


@given(PAGES)
def test_csv_for_programs_holds_the_cells_as_they_are(pages: list[list[tuple[str, str, list[str]]]]) -> None:
    wanted = [[flat(cell) for cell in row] for page in pages for row in page]
    header, *rows = cells(written("csv", pages, raw=True))
    assert header == list(FIELDS)
    assert rows == wanted


def test_csv_for_people_has_titles_in_their_language_and_a_mark_of_its_encoding() -> None:
    data = written("csv", [[("王小明", "教育", ["vip", "a/b"])]])
    assert data.startswith(b"\xef\xbb\xbf")
    assert cells(data) == [["姓名", "所属行业", "标签"], ["王小明", "教育", 'vip; "a/b"']]


@given(PAGES)
def test_a_workbook_holds_the_cells_as_they_are(pages: list[list[tuple[str, str, list[str]]]]) -> None:
    data = written("xlsx", pages)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["姓名", "所属行业", "标签"]
    assert rows[1:] == [[flat(cell) for cell in row] for page in pages for row in page]
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


@pytest.mark.parametrize("text", ["a\x01b", "_x0041_", "<b>&amp;</b>", " 两端 ", "a\nb"])
def test_what_xml_has_no_place_for_is_escaped_as_spreadsheets_do(text: str) -> None:
    data = written("xlsx", [[(text, "", [])]])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == text


def test_a_formula_in_a_workbook_is_a_text() -> None:
    data = written("xlsx", [[("=1+1", "=cmd|' /C calc'!A0", ["@x"])]])
    row = next(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(min_row=2))
    assert [(cell.data_type, cell.value) for cell in row] == [
        ("s", "=1+1"),
        ("s", "=cmd|' /C calc'!A0"),
        ("s", "@x"),
    ]


@given(PAGES)
def test_json_lines_hold_lists_as_lists(pages: list[list[tuple[str, str, list[str]]]]) -> None:
    lines = written("jsonl", pages).decode().split("\n")[:-1]
    wanted = [dict(zip(FIELDS, row, strict=True)) for page in pages for row in page]
    assert [json.loads(line) for line in lines] == wanted


@given(st.lists(TEXT.map(str.strip).filter(bool), max_size=5))
def test_a_list_in_a_cell_is_the_same_list_when_it_is_imported(members: list[str]) -> None:
    assert split_list(join_list(members)) == members
    assert split_emails(join_list(members)) == members


@pytest.mark.parametrize(
    ("cell", "members"),
    [
        ("138，139", ["138", "139"]),
        ('6" 管, 4" 管', ['6" 管', '4" 管']),
        ('"a/b"; c', ["a/b", "c"]),
        ('"说""好"""', ['说"好"']),
        ('a"b"c', ['a"b"c']),
    ],
)
def test_quotes_keep_a_member_together_only_around_the_whole_of_it(cell: str, members: list[str]) -> None:
    assert split_list(cell) == members
