"""Reading Excel workbooks, in a process of its own: it may use so much memory and time and no more,
whatever a file unpacks to.

    python -m customer.store.spreadsheets MEMORY [rows]

takes a workbook on standard input and answers its first sheet, one JSON line a row: first
{"rows": how many}, then [line, cells]. Formulas are never evaluated: their last value counts. MEMORY is how
many bytes it may take: 200,000 rows of 10 columns take 220 MiB, and larger ones about as much more as they
are larger, since a sheet is read as a whole.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any

from customer.domain.importing.errors import FileTooLarge, FileUnreadable
from customer.domain.importing.rows import Record

_MOST_PARTS = 2_000
_LARGEST_UNPACKED = 512 << 20
# XML packs well, but not like this.
_LARGEST_RATIO = 200
_SMALL_PART = 1 << 20
_MEMORY = 1 << 30
_SECONDS = 120
_UNREADABLE, _TOO_LARGE = 3, 4
# How it ends that takes more than it may: as it says itself, where memory for the sheet ends, and killed.
_BEYOND_LIMITS = (_TOO_LARGE, -signal.SIGABRT, -signal.SIGXCPU, -signal.SIGKILL)


def read_workbook(
    blocks: Iterable[bytes], progress: Callable[[int], None] = lambda read: None, *, rows: int | None = None
) -> Iterator[Record]:
    """The records of a workbook's first sheet, empty rows left out; at most `rows` when given.

    `progress` is told how many bytes were read, in proportion. Raises FileUnreadable or FileTooLarge.
    """
    command = [sys.executable, "-m", __spec__.name, str(_MEMORY), *([str(rows)] if rows else [])]
    # Of the environment, which holds secrets, it is given nothing.
    environment = {"PYTHONUTF8": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            size = _feed(child, blocks)
            lines = iter(child.stdout)
            first = next(lines, b"")
            total = json.loads(first)["rows"] if first else 0
            for line in lines:
                number, cells = json.loads(line)
                progress(size * number // max(number, total))
                yield Record(number, cells)
            failed = child.wait(timeout=_SECONDS)
        finally:
            child.kill()
    if failed or not first:
        raise FileTooLarge if failed in _BEYOND_LIMITS else FileUnreadable


def _feed(child: subprocess.Popen[bytes], blocks: Iterable[bytes]) -> int:
    assert child.stdin is not None
    size = 0
    try:
        for block in blocks:
            size += len(block)
            child.stdin.write(block)
        child.stdin.close()
    except BrokenPipeError:
        raise FileUnreadable from None
    return size


def check_archive(data: bytes) -> None:
    """Looks at what the parts of a workbook say they unpack to, before any is. Raises FileTooLarge or
    FileUnreadable."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise FileUnreadable from None
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _LARGEST_UNPACKED:
        raise FileTooLarge
    for part in parts:
        if part.file_size > _SMALL_PART and part.file_size > _LARGEST_RATIO * max(part.compress_size, 1):
            raise FileTooLarge


def _text(value: Any) -> str:
    """A cell as it would be typed: whole numbers without a fraction, days as YYYY-MM-DD."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if not (value.hour or value.minute or value.second) else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _answer(data: bytes, rows: int | None) -> None:
    """What the child does."""
    from python_calamine import CalamineError, CalamineWorkbook

    check_archive(data)
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        # It has a copy of its own.
        del data
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError):
        raise FileUnreadable from None
    before = sheet.start[0] if sheet.start else 0
    out = sys.stdout
    out.write(json.dumps({"rows": sheet.total_height}) + "\n")
    for line, values in enumerate(sheet.iter_rows(), before + 1):
        cells = [_text(value) for value in values]
        if any(cells):
            out.write(json.dumps([line, cells]) + "\n")
            if rows is not None:
                rows -= 1
                if rows <= 0:
                    break


def _main() -> int:
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        _answer(sys.stdin.buffer.read(), int(sys.argv[2]) if len(sys.argv) > 2 else None)
    except FileTooLarge:
        return _TOO_LARGE
    except MemoryError:
        return _TOO_LARGE
    except FileUnreadable:
        return _UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(_main())
