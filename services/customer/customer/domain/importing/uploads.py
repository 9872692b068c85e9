"""A file on its way in, in chunks that may come twice but not out of order; then how it begins is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from customer.domain.importing.errors import (
    UNREADABLE,
    FileEmpty,
    FileUnreadable,
    UploadIncomplete,
    UploadNotReady,
    UploadOffset,
)
from customer.domain.importing.mapping import column_names
from customer.domain.importing.rows import Record
from kernel.pure.errors import Checks, CrmError

LARGEST_FILE = 256 << 20
LARGEST_CHUNK = 1 << 20
KEPT_FOR = timedelta(days=7)
CSV, XLSX = "csv", "xlsx"
_FORMATS = (CSV, XLSX)
_LONGEST_NAME = 200
# So many rows are looked at when a mapping is suggested, so many characters of a cell (what tells a field
# by its content is shorter), and no more rows than have about so many characters.
SAMPLES = 200
_LONGEST_SAMPLE, _SAMPLED = 300, 1 << 20
# A file that nobody could read so often, for whatever reason, can't be read.
MOST_FAILURES = 5


class UploadState(StrEnum):
    RECEIVING = "receiving"
    READING = "reading"
    READY = "ready"
    UNREADABLE = "unreadable"


@dataclass
class Upload:
    """`received` bytes of `size` have arrived. The file is destroyed at `expires_at`."""

    id: UUID
    owner_id: UUID
    file_name: str
    size: int
    received: int
    expires_at: datetime
    # Whether the head of the whole file is kept, and why there is none when it can't be read.
    has_head: bool = False
    refused: CrmError | None = None
    failures: int = 0

    @property
    def state(self) -> UploadState:
        if self.received < self.size:
            return UploadState.RECEIVING
        if self.refused is not None:
            return UploadState.UNREADABLE
        return UploadState.READY if self.has_head else UploadState.READING

    @property
    def format(self) -> str:
        """ "csv" or "xlsx"."""
        return format_of(self.file_name)

    def accept(self, offset: int, data: bytes) -> bool:
        """Takes a chunk; False when it has come before. Raises Invalid or UploadOffset."""
        checks = Checks()
        if not 1 <= len(data) <= LARGEST_CHUNK:
            checks.refuse("data", "CHUNK_SIZE", "must hold 1 byte to 1 MiB", "必须为 1 字节到 1 MiB")
        elif offset + len(data) > self.size:
            checks.refuse("data", "BEYOND_SIZE", "must not go beyond the file's size", "不能超出文件大小")
        checks.raise_if_any()
        if offset >= 0 and offset + len(data) <= self.received:
            return False
        if offset != self.received:
            raise UploadOffset(received=self.received)
        self.received += len(data)
        return True

    def require_ready(self) -> None:
        """Raises UploadIncomplete while bytes are missing, UploadNotReady while the file is being read, and
        what stands in the way when it can't be."""
        if self.state is UploadState.RECEIVING:
            raise UploadIncomplete(received=self.received, size=self.size)
        if self.state is UploadState.READING:
            raise UploadNotReady
        if self.refused is not None:
            raise self.refused

    def fail(self, error: Exception) -> None:
        """Reading the file raised `error`: it can't be read if that speaks of the file, or comes again and
        again."""
        self.failures += 1
        if isinstance(error, CrmError) and error.reason in UNREADABLE:
            self.refused = error
        elif self.failures >= MOST_FAILURES:
            self.refused = FileUnreadable()


@dataclass(frozen=True)
class Head:
    """The beginning of a file: names of its columns, and the cells of some rows. `encoding` is the
    codec of a csv, empty for a workbook."""

    names: Sequence[str]
    samples: Sequence[Sequence[str]]
    encoding: str


def head_of(records: Iterable[Record], encoding: str) -> Head:
    """The head of a file, of which no more records are taken than that needs.

    Raises FileEmpty and FileTooWide."""
    records = iter(records)
    header = next(records, None)
    if header is None or header.broken:
        raise FileEmpty
    names = column_names(header.cells)
    samples: list[Sequence[str]] = []
    sampled = 0
    for record in records:
        cells = [cell.strip()[:_LONGEST_SAMPLE] for cell in record.cells[: len(names)]]
        samples.append(cells)
        sampled += sum(map(len, cells))
        if len(samples) == SAMPLES or sampled > _SAMPLED:
            break
    return Head(names, samples, encoding)


def format_of(file_name: str) -> str:
    return file_name.rpartition(".")[2].lower()


def check_upload(file_name: str, size: int) -> str:
    """The file's name without folders. Raises Invalid."""
    checks = Checks()
    name = file_name.replace("\\", "/").rpartition("/")[2].strip()
    if format_of(name) not in _FORMATS:
        checks.refuse("file_name", "FILE_FORMAT", "must end with .csv or .xlsx", "必须以 .csv 或 .xlsx 结尾")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        checks.refuse("file_name", "TOO_LONG", "must have at most 200 characters", "最多 200 个字符")
    if not 1 <= size <= LARGEST_FILE:
        checks.refuse("size", "FILE_SIZE", "must be 1 byte to 256 MiB", "必须为 1 字节到 256 MiB")
    checks.raise_if_any()
    return name
