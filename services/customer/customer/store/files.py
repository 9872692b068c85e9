"""Reading uploaded files: what the jobs process does, and no other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from uuid import UUID

from customer.domain.importing.csv_files import encoding_of, read_csv
from customer.domain.importing.errors import UploadExpired
from customer.domain.importing.rows import Record
from customer.domain.importing.uploads import SAMPLES, XLSX, Head, head_of
from customer.store.queries_of_imports import CHUNKS_SEALED_IN
from customer.store.spreadsheets import read_workbook
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_CHUNK = """
    select length, sealed from upload_chunks where upload_id = %(id)s and starts_at = %(starts_at)s
"""


class Files:
    """`sealer` is that of files."""

    def __init__(self, reader: Reader, sealer: Sealer) -> None:
        self._reader = reader
        self._sealer = sealer

    def head(self, upload_id: UUID, format: str) -> Head:
        """The columns of a whole file and its first rows.

        Raises UploadExpired, or another of errors.UNREADABLE.
        """
        encoding = "" if format == XLSX else encoding_of(self._blocks(upload_id))
        with closing(self.records(upload_id, format, encoding, most=SAMPLES + 1)) as records:
            return head_of(records, encoding)

    def records(
        self,
        upload_id: UUID,
        format: str,
        encoding: str,
        progress: Callable[[int], None] = lambda read: None,
        *,
        most: int | None = None,
    ) -> Generator[Record, None, None]:
        """The rows of a file, the header first; to be closed when no more are wanted. Of a workbook no more
        than `most` are read, when given.

        `progress` is told how many bytes have been read. Raises UploadExpired or FileUnreadable.
        """
        blocks = self._blocks(upload_id)
        if format == XLSX:
            yield from read_workbook(blocks, progress, rows=most)
        else:
            yield from read_csv(blocks, encoding, progress)

    def _blocks(self, upload_id: UUID) -> Iterator[bytes]:
        row = self._reader.row("select size from uploads where id = %(id)s", {"id": upload_id})
        if row is None:
            raise UploadExpired
        offset = 0
        while offset < row.size:
            chunk = self._reader.row(_CHUNK, {"id": upload_id, "starts_at": offset})
            data = chunk and self._sealer.open_data(
                CHUNKS_SEALED_IN, f"{upload_id}/{offset}", upload_id, chunk.sealed
            )
            if data is None:
                raise UploadExpired
            yield data
            offset += len(data)
