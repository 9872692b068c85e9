"""Files as programs write them: every usual encoding and separator, workbooks with days and numbers."""

from __future__ import annotations

import codecs
import csv
import io
from datetime import date, datetime
from typing import Any
from uuid import UUID

import openpyxl
import pytest

from crm.customer.v1 import import_service_pb2 as pb
from customer.api.imports import ImportServicer
from customer.domain.importing.errors import FileUnreadable
from customer.domain.importing.runs import Import, State
from customer.store import finding, queries
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal
from kernel.rpc.call import Call
from tests.customer.importing.people import HEADER, importer, started, worked_on

# A sign of four bytes in GB18030, a separator and a line break within cells.
ROWS = (
    ("1", "王小明", "13800000001", "", "1980-01-02", "", "浙江省", "杭州市", "文三路 1 号, 2 幢; 东门"),
    ("2", "李𠮷", "13900000009", "li@example.com", "1990-03-04", "", "", "", "南京路 5 号\n后院"),
    ("3", "欧阳娜娜", "13700000002", "", "", "", "", "", ""),
)
NAMES = {"1": "王小明", "2": "李𠮷", "3": "欧阳娜娜"}
ENCODINGS = {
    "utf-8": (b"", "utf-8", "utf-8"),
    "utf-8 with a mark": (codecs.BOM_UTF8, "utf-8", "utf-8"),
    "utf-16 with a mark": (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
    "big-endian utf-16 with a mark": (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
    "utf-16 without a mark": (b"", "utf-16-le", "utf-16"),
    "big-endian utf-16 without a mark": (b"", "utf-16-be", "utf-16"),
    "gb18030": (b"", "gb18030", "gb18030"),
}


def text_of(separator: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADER, *ROWS])
    return text.getvalue()


def ended(app: CustomerApp, import_id: UUID) -> Import:
    with app.work(Principal.service("customer")) as work:
        return work.imports.hold(import_id)


def stored(app: CustomerApp, me: Principal) -> dict[str, Any]:
    """The personal documents of all customers, by their external ids."""
    rows, _ = finding.page(app.reader, me, finding.listing("", "", False), None, 100)
    documents = queries.open_documents(app.sealer, rows)
    return {row.external_ids[0][1]: document for row, document in zip(rows, documents, strict=True)}


def imported(app: CustomerApp, data: bytes, name: str = "people.csv") -> dict[str, Any]:
    me = importer()
    run = started(app, me, data, name=name)
    worked_on(app)
    done = ended(app, run.id)
    assert (done.state, done.counts.read, done.counts.created) == (State.TRIAL_DONE, 3, 3), done
    return stored(app, me)


@pytest.mark.parametrize("written", ENCODINGS)
def test_text_in_any_usual_encoding_is_read(app: CustomerApp, written: str) -> None:
    mark, codec, _ = ENCODINGS[written]
    people = imported(app, mark + text_of().encode(codec))
    assert {number: person["full_name"] for number, person in people.items()} == NAMES
    assert people["1"]["street_address"] == ROWS[0][8]
    assert people["1"]["phones"] == ["+8613800000001"]


@pytest.mark.parametrize("written", ENCODINGS)
def test_whoever_maps_a_file_is_told_its_encoding(app: CustomerApp, written: str) -> None:
    mark, codec, told = ENCODINGS[written]
    me = importer()
    run = started(app, me, mark + text_of().encode(codec))
    call = Call(me, "zh", "", lambda *_: None)
    request = pb.SuggestMappingRequest(upload_id=str(run.upload_id))
    assert ImportServicer(app).suggest_mapping(request, call).encoding == told


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_any_usual_separator_and_line_end_is_read(app: CustomerApp, separator: str, line_end: str) -> None:
    people = imported(app, text_of(separator, line_end).encode())
    assert {number: person["full_name"] for number, person in people.items()} == NAMES
    assert people["1"]["street_address"] == ROWS[0][8]
    assert people["2"]["emails"] == ["li@example.com"]


@pytest.mark.parametrize("codec", ["utf-16-le", "gb18030"])
def test_tabs_as_spreadsheets_save_unicode_text(app: CustomerApp, codec: str) -> None:
    mark = codecs.BOM_UTF16_LE if codec == "utf-16-le" else b""
    people = imported(app, mark + text_of("\t").encode(codec))
    assert {number: person["full_name"] for number, person in people.items()} == NAMES


def test_what_is_no_text_is_refused(app: CustomerApp) -> None:
    with pytest.raises(FileUnreadable):
        started(app, importer(), b"\xff\x81" * 400)


def test_days_and_numbers_of_a_workbook_are_read_as_typed(app: CustomerApp) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append([1, "王小明", 13800000001, "", date(1980, 1, 2), "", "浙江省", "杭州市", "文三路 1 号"])
    sheet.append(["2", "李𠮷", "13900000009", "", datetime(1990, 3, 4), "", "", "", "南京路 5 号"])  # noqa: DTZ001
    sheet.append([3.0, "欧阳娜娜", "137 0000 0002", "", "1979/12/31", "", "", "", ""])
    data = io.BytesIO()
    book.save(data)
    people = imported(app, data.getvalue(), "people.xlsx")
    assert {number: person["full_name"] for number, person in people.items()} == NAMES
    assert [people[number]["birth_date"] for number in "123"] == ["1980-01-02", "1990-03-04", "1979-12-31"]
    assert [people[number]["phones"] for number in "123"] == [
        ["+8613800000001"],
        ["+8613900000009"],
        ["+8613700000002"],
    ]
