"""The formats of a file, each written page by page: what it begins with, its rows, and how it ends.

What a format must remember from page to page is plain JSON, so that another process can go on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from customer.domain.exporting import fields
from customer.domain.exporting.runs import CSV, XLSX, Options
from customer.domain.exporting.workbook import WorkbookForm
from customer.domain.importing.notation import join_list

# A text, or several: phones, tags.
Cell = str | Sequence[str]
_BOM = "\ufeff"
# A spreadsheet takes a cell that begins so for a formula, or for the rest of the one before.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CONTROL = ("\t", "\r", "\n", "\0")


class Form(Protocol):
    @property
    def state(self) -> Mapping[str, Any]: ...

    def begin(self) -> bytes: ...

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes: ...

    def end(self) -> bytes: ...


def form_of(options: Options, state: Mapping[str, Any]) -> Form:
    """The form of an export, going on from `state`; empty for a new file."""
    titles = list(options.fields) if options.raw else fields.titles(options.fields, options.language)
    if options.format == CSV:
        return RawCsvForm(titles) if options.raw else CsvForm(titles)
    if options.format == XLSX:
        return WorkbookForm(titles, flat, state)
    return JsonLinesForm(options.fields)


def flat(cell: Cell) -> str:
    """A cell as one text."""
    return cell if isinstance(cell, str) else join_list(cell)


def harmless(text: str) -> str:
    """A cell that a spreadsheet shows as it is and never carries out: "=1+1" -> "'=1+1"."""
    return "'" + text if text.startswith(_CONTROL) or text.lstrip().startswith(_FORMULA) else text


class CsvForm:
    """For people and their spreadsheets: every cell quoted and harmless, UTF-8 with a mark."""

    state: Mapping[str, Any] = {}

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles

    def begin(self) -> bytes:
        return (_BOM + _lines([self._titles], csv.QUOTE_ALL)).encode()

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        return _lines(([harmless(flat(cell)) for cell in row] for row in rows), csv.QUOTE_ALL).encode()

    def end(self) -> bytes:
        return b""


class RawCsvForm:
    """For programs: cells as they are stored (RFC 4180)."""

    state: Mapping[str, Any] = {}

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles

    def begin(self) -> bytes:
        return _lines([self._titles], csv.QUOTE_MINIMAL).encode()

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        return _lines(([flat(cell) for cell in row] for row in rows), csv.QUOTE_MINIMAL).encode()

    def end(self) -> bytes:
        return b""


class JsonLinesForm:
    """An object a line, with the names of fields; what may be several is a list."""

    state: Mapping[str, Any] = {}
    _encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        encode, names = self._encode, self._names
        return "".join(encode(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()

    def end(self) -> bytes:
        return b""


def _lines(rows: Any, quoting: Any) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows(rows)
    return text.getvalue()
