"""A file on its way in, in chunks that may come twice but not out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from customer.domain.importing.errors import UploadIncomplete, UploadOffset
from kernel.pure.errors import Checks

LARGEST_FILE = 256 << 20
LARGEST_CHUNK = 1 << 20
KEPT_FOR = timedelta(days=7)
CSV, XLSX = "csv", "xlsx"
_FORMATS = (CSV, XLSX)
_LONGEST_NAME = 200


@dataclass
class Upload:
    """`received` bytes of `size` have arrived. The file is destroyed at `expires_at`."""

    id: UUID
    owner_id: UUID
    file_name: str
    size: int
    received: int
    expires_at: datetime

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

    def require_whole(self) -> None:
        """Raises UploadIncomplete while bytes are missing."""
        if self.received < self.size:
            raise UploadIncomplete(received=self.received, size=self.size)


@dataclass(frozen=True)
class Head:
    """The beginning of a file: names of its columns, and the cells of some rows. `encoding` is the
    codec of a csv, empty for a workbook."""

    names: Sequence[str]
    samples: Sequence[Sequence[str]]
    encoding: str


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
