"""Files that are sent to do harm are refused, by field and rule; nothing is stored, and nobody dies."""

from __future__ import annotations

import csv
import io
import zipfile
from uuid import uuid4

import openpyxl
import pytest

from crm.customer.v1 import export_service_pb2 as exports
from crm.customer.v1 import import_service_pb2 as imports
from crm_cli.client import Session
from tests.security.hostile import CHUNK, Caller, method, upload
from tests.system.behind import until
from tests.system.importing import Importing

pytestmark = [pytest.mark.usefixtures("unharmed"), pytest.mark.bulky]

RULES = {
    "FILE_HEADER_TOO_LONG": "LINE_LENGTH",
    "FILE_TOO_WIDE": "COLUMNS",
    "FILE_UNREADABLE": "FORMAT",
    "FILE_EMPTY": "HEADER",
    "FILE_TOO_LARGE": "UNPACKED_SIZE",
}


def refused_everywhere(refused: Caller, upload_id: str) -> str:
    """The reason for which a file is neither looked at nor imported, by the rule it breaks."""
    suggestion = imports.SuggestMappingRequest(upload_id=upload_id)
    column = imports.ColumnMapping(column="a", field="person.full_name")
    start = imports.StartImportRequest(
        upload_id=upload_id, columns=[column], source="x", kind="person", request_id=str(uuid4())
    )
    reason, fields = refused.refusal(method("SuggestMapping"), suggestion)
    assert fields == [("upload_id", RULES[reason])]
    assert refused.refusal(method("StartImport"), start) == (reason, fields)
    return reason


def bomb() -> bytes:
    """A workbook that unpacks to a thousand times its size."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    return packed.getvalue()


FILES = {
    "a line of 100 MB": ("a.csv", [b"a,b," * (CHUNK // 4)] * 100, "FILE_HEADER_TOO_LONG"),
    "100 MB without a separator": ("a.csv", [b"a" * CHUNK] * 100, "FILE_HEADER_TOO_LONG"),
    "no text": ("a.csv", [b"\x81\xff\xfe\x00\x9f" * 10_000], "FILE_UNREADABLE"),
    "half a character": ("a.csv", ["姓名".encode("utf-16-le")[1:] + b"\xff\xff\xff"], "FILE_UNREADABLE"),
    "10,000 columns": ("a.csv", [b",".join(b"c%d" % n for n in range(10_000))], "FILE_TOO_WIDE"),
    "no workbook": ("a.xlsx", [b"PK\x03\x04" + b"\0" * 5_000], "FILE_UNREADABLE"),
    "nothing": ("a.csv", [b"\n\n\n"], "FILE_EMPTY"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.usefixtures("nothing_stored")
def test_a_file_that_is_none_is_refused(kind: str, me: Session, refused: Caller) -> None:
    name, data, reason = FILES[kind]
    assert refused_everywhere(refused, upload(me, name, data)) == reason


_LINES = (b"y" * 1023 + b"\n") * (CHUNK >> 10)
ROWS = {
    "a row of 100 MB": [b"x" * CHUNK] * 100,
    "an open quote before 100 MB": [b'"' + _LINES[1:], *[_LINES] * 99],
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.usefixtures("nothing_stored")
def test_a_row_that_is_none_is_reported_and_nobody_is_stored(kind: str, me: Session) -> None:
    importing = Importing(me)
    run = importing.at_rest(importing.start(upload(me, "a.csv", ["姓名,手机\n".encode(), *ROWS[kind]])).id)
    assert run.state == imports.IMPORT_STATE_TRIAL_DONE, run.error
    assert run.rows_refused == run.rows_read > 0
    [first, *_] = importing.report(run.id)
    assert first.line == 2
    assert first.problems
    me.call(me.imports.CancelImport, imports.CancelImportRequest(id=run.id, request_id=str(uuid4())))


@pytest.mark.usefixtures("nothing_stored")
def test_a_workbook_that_unpacks_to_a_thousand_times_its_size_is_refused(
    me: Session, refused: Caller
) -> None:
    data = bomb()
    blocks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    assert refused_everywhere(refused, upload(me, "bomb.xlsx", blocks)) == "FILE_TOO_LARGE"


@pytest.mark.usefixtures("nothing_stored")
def test_a_mapping_of_10_000_fields_is_refused(me: Session, refused: Caller) -> None:
    text = io.StringIO()
    csv.writer(text).writerow(["姓名", "手机"])
    upload_id = upload(me, "a.csv", [text.getvalue().encode()])
    columns = [imports.ColumnMapping(column=f"c{number}", field="tags") for number in range(10_000)]
    request = imports.StartImportRequest(
        upload_id=upload_id, columns=columns, source="x", kind="person", request_id=str(uuid4())
    )
    assert refused.refusal(method("StartImport"), request) == ("INVALID_FIELDS", [("columns", "TOO_MANY")])


FORMULAS = ["=cmd|' /C calc'!A0", "=1+1", "+2+2", "-3+4", "@SUM(A5:A9)", "\t=6+6"]


@pytest.mark.parametrize("form", ["EXPORT_FORMAT_CSV", "EXPORT_FORMAT_XLSX"])
def test_formulas_come_in_as_texts_and_go_out_as_texts(form: str, me: Session) -> None:
    source = f"formulas {uuid4().hex[:8]}"
    text = io.StringIO()
    header = ["公司名称", "地址", "城市"]
    csv.writer(text).writerows([header, *([f"{formula} 公司", formula, source] for formula in FORMULAS)])
    importing = Importing(me, source=source, kind="company")
    mapping = {"公司名称": "company.name", "地址": "company.registered_address", "城市": "city"}
    tried = importing.at_rest(importing.start(upload(me, "a.csv", [text.getvalue().encode()]), mapping).id)
    assert tried.rows_created == len(FORMULAS), tried
    fields = ["company.name", "company.registered_address", "city"]
    asked = exports.StartExportRequest(
        filter=f'city == "{source}"', fields=fields, format=form, reason="hostile", request_id=str(uuid4())
    )
    begun = me.call(me.exports.StartExport, asked)
    done = until(
        "it is written",
        lambda: (
            now
            if (now := me.call(me.exports.GetExport, exports.GetExportRequest(id=begun.id))).state
            == exports.EXPORT_STATE_DONE
            else None
        ),
    )
    file = me.call(me.exports.DownloadExport, exports.DownloadExportRequest(id=done.id)).data
    cells = _cells_of_csv(file) if form == "EXPORT_FORMAT_CSV" else _cells_of_workbook(file)
    assert len(cells) == len(fields) * (len(FORMULAS) + 1)
    assert {cell.lstrip("'\t").removesuffix(" 公司") for cell in cells} >= {one.strip() for one in FORMULAS}


def _cells_of_csv(file: bytes) -> list[str]:
    """None of them is a formula to who opens it."""
    cells = [cell for row in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r＝＋－＠" and cell]
    return cells


def _cells_of_workbook(file: bytes) -> list[str]:
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    return [str(cell.value) for cell in cells]
