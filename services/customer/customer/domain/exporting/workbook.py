"""An Excel workbook of one sheet, written page by page (ECMA-376, APPNOTE.TXT of ZIP).

Each page ends with a full flush of the compressor, after which nothing refers back: a new compressor
goes on behind it, in another process too. Cells are inline strings, which are never formulas.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from customer.domain.exporting.errors import ExportTooLarge

_SHEET = "xl/worksheets/sheet1.xml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
# The header stays in sight.
_SHEET_BEGINS = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    "<sheetData>"
)
_SHEET_ENDS = "</sheetData></worksheet>"
_CELL = '<c t="inlineStr"><is><t xml:space="preserve">'
_CELL_ENDS = "</t></is></c>"
_BETWEEN = _CELL_ENDS + _CELL

# Characters that XML has no place for, and what looks like their escape.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MARKUP = re.compile("[&<>]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_UTF8, _SIZES_FOLLOW, _DEFLATED = 0x0800, 0x0008, 8
# 1 January 1980, the zero of ZIP: a file of the same rows is the same file.
_DATE = 0x21
_LOCAL = struct.Struct("<IHHHHHIIIHH")
_FOLLOWS = struct.Struct("<IIII")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_LARGEST = 0xFFFF_FFFF
# Text of tables packs well enough with the least effort.
_LEVEL = 1


class WorkbookForm:
    """`flat` makes one text of a cell; `state` is that of the form that wrote the pages before."""

    def __init__(self, titles: Sequence[str], flat: Callable[[Any], str], state: Mapping[str, Any]) -> None:
        self._titles = titles
        self._flat = flat
        self._crc = int(state.get("crc", 0))
        self._packed = int(state.get("packed", 0))
        self._plain = int(state.get("plain", 0))

    @property
    def state(self) -> Mapping[str, Any]:
        return {"crc": self._crc, "packed": self._packed, "plain": self._plain}

    def begin(self) -> bytes:
        local = _local(_SHEET, _SIZES_FOLLOW, 0, 0, 0)
        return local + self._pack(_SHEET_BEGINS + self._rows([self._titles]), zlib.Z_FULL_FLUSH)

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        return self._pack(self._rows(rows), zlib.Z_FULL_FLUSH)

    def end(self) -> bytes:
        data = self._pack(_SHEET_ENDS, zlib.Z_FINISH)
        sizes = (self._crc, self._packed, self._plain)
        data += _FOLLOWS.pack(0x08074B50, *sizes)
        entries = [_central(_SHEET, _SIZES_FOLLOW, *sizes, 0)]
        # Where the parts after the sheet begin.
        at = _LOCAL.size + len(_SHEET) + self._packed + _FOLLOWS.size
        for name, content in _PARTS.items():
            plain = content.encode()
            packed = _deflated(plain, zlib.Z_FINISH)
            sizes = (zlib.crc32(plain), len(packed), len(plain))
            part = _local(name, 0, *sizes) + packed
            entries.append(_central(name, 0, *sizes, at))
            data += part
            at += len(part)
        directory = b"".join(entries)
        if at + len(directory) > _LARGEST:
            raise ExportTooLarge
        count = len(entries)
        return data + directory + _END.pack(0x06054B50, 0, 0, count, count, len(directory), at, 0)

    def _rows(self, rows: Sequence[Sequence[Any]]) -> str:
        flat = self._flat
        # Escaped as a whole: a separator that no cell can hold keeps the cells apart.
        lines = ["\x1f".join([_writable(flat(cell)) for cell in row]) for row in rows]
        text = _MARKUP.sub(lambda found: _ENTITIES[found[0]], "\x1e".join(lines))
        text = text.replace("\x1f", _BETWEEN).replace("\x1e", f"{_CELL_ENDS}</row><row>{_CELL}")
        return f"<row>{_CELL}{text}{_CELL_ENDS}</row>" if lines else ""

    def _pack(self, text: str, flush: int) -> bytes:
        plain = text.encode()
        packed = _deflated(plain, flush)
        self._crc = zlib.crc32(plain, self._crc)
        self._packed += len(packed)
        self._plain += len(plain)
        if self._plain > _LARGEST:
            raise ExportTooLarge
        return packed


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(_escaped, text) if not text.isprintable() or "_x" in text else text


def _escaped(found: re.Match[str]) -> str:
    """_xHHHH_, as spreadsheets write such characters."""
    return f"_x{ord(found[0]):04X}_"


def _deflated(data: bytes, flush: int) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(flush)


def _local(name: str, flags: int, crc: int, packed: int, plain: int) -> bytes:
    return _LOCAL.pack(
        0x04034B50, 20, _UTF8 | flags, _DEFLATED, 0, _DATE, crc, packed, plain, len(name), 0
    ) + name.encode("ascii")


def _central(name: str, flags: int, crc: int, packed: int, plain: int, at: int) -> bytes:
    return _CENTRAL.pack(
        0x02014B50, 20, 20, _UTF8 | flags, _DEFLATED, 0, _DATE, crc, packed, plain, len(name),
        0, 0, 0, 0, 0, at,
    ) + name.encode("ascii")  # fmt: skip
