"""Reading CSV: any usual encoding, separator and line ending, cells with quotes and line breaks."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from customer.domain.importing.errors import FileUnreadable, HeaderTooLong
from customer.domain.importing.rows import Record

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# How an encoding is told to people.
_TOLD = {"utf-8-sig": "utf-8", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
_SEPARATORS = ",;\t|"
_LOOK_AT = 64 * 1024
# Characters; above what the cells of a row may hold.
_LONGEST_LINE = 1 << 20
_TOO_LONG = "x" * (csv.field_size_limit() + 1) + "\n"


def told(encoding: str) -> str:
    """ "utf-8", "utf-16" or "gb18030"."""
    return _TOLD.get(encoding, encoding)


def encoding_of(blocks: Iterable[bytes]) -> str:
    """The codec of a text file, from as many of its blocks as it takes to tell.

    Raises FileUnreadable for what is no text in UTF-8, UTF-16 or GB18030.
    """
    blocks = iter(blocks)
    head = next(blocks, b"")
    for bom, encoding in _BOMS.items():
        if head.startswith(bom):
            return encoding
    wide = _wide(head[:_LOOK_AT])
    if wide:
        return wide
    # ASCII is the same in both, so the first block with anything else decides.
    for block in chain([head], blocks):
        if not block.isascii():
            for encoding in ("utf-8", "gb18030"):
                if _decodes(block, encoding):
                    return encoding
            raise FileUnreadable
    return "utf-8"


def _wide(head: bytes) -> str:
    """UTF-16 without a mark shows by the zeros of its ASCII characters: separators, digits, line ends."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 40 and odd > 8 * even:
        return "utf-16-le"
    if even > len(head) // 40 and even > 8 * odd:
        return "utf-16-be"
    return ""


def _decodes(block: bytes, encoding: str) -> bool:
    """Whether a block is text; it may begin and end within a character."""
    for skipped in range(4):
        try:
            codecs.getincrementaldecoder(encoding)().decode(block[skipped:])
        except UnicodeDecodeError:
            continue
        return True
    return False


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a file; tells how many were read."""

    def __init__(self, blocks: Iterable[bytes], progress: Callable[[int], None]) -> None:
        self._blocks = iter(blocks)
        self._held = memoryview(b"")
        self._read = 0
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._held:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._held = memoryview(block)
        count = min(len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        self._read += count
        self._progress(self._read)
        return count


def read_csv(
    blocks: Iterable[bytes], encoding: str, progress: Callable[[int], None] = lambda read: None
) -> Iterator[Record]:
    """The records of a CSV file, the header first, blank lines left out.

    `progress` is told how many bytes were read. A record that can't be cut into cells is broken.
    """
    raw = io.BufferedReader(_Blocks(blocks, progress), _LOOK_AT)
    text = io.TextIOWrapper(raw, encoding, errors="replace", newline="")
    lines = _lines(text)
    first = next(lines, "")
    if first is _TOO_LONG:
        raise HeaderTooLong(most=_LONGEST_LINE)
    reader = csv.reader(chain([first], lines), delimiter=_separator(first), skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(line, (), "ROW_FORMAT")
            continue
        if any(cells):
            yield Record(line, cells)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a file; in place of one that is too long, one that csv refuses."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) < _LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(("\n", "\r")):
            line = text.readline(_LONGEST_LINE)
        yield _TOO_LONG


def _separator(header: str) -> str:
    """The separator that stands most often in the header, outside of quotes."""
    outside = "".join(header.split('"')[::2])
    return max(_SEPARATORS, key=outside.count)
