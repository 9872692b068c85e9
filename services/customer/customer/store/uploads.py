"""Uploaded files: chunks sealed under the file's own key, which is destroyed with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.importing.csv_files import encoding_of, read_csv
from customer.domain.importing.errors import FileEmpty, UploadExpired, UploadNotFound
from customer.domain.importing.mapping import column_names
from customer.domain.importing.rows import Record
from customer.domain.importing.uploads import XLSX, Head, Upload
from customer.store.spreadsheets import read_workbook
from kernel.pure.grants import Principal
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_SEALED_IN = "upload_chunks"
_INSERT = """
    insert into uploads (id, owner_id, file_name, size, received, expires_at, created_at)
    values (%(id)s, %(owner_id)s, %(file_name)s, %(size)s, %(received)s, %(expires_at)s, now())
"""
_LEND = """
    select id, owner_id, file_name, size, received, expires_at from uploads
    where id = %(id)s and owner_id = %(owner_id)s for no key update
"""
_INSERT_CHUNK = """
    insert into upload_chunks (upload_id, starts_at, length, sealed)
    values (%(id)s, %(starts_at)s, %(length)s, %(sealed)s)
"""
_CHUNK = """
    select length, sealed from upload_chunks where upload_id = %(id)s and starts_at = %(starts_at)s
"""


class UploadRepository:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, keyring: Keyring) -> None:
        self._connection = session.connection
        self._principal = principal
        self._sealer = sealer
        self._keyring = keyring

    def add(self, upload: Upload) -> None:
        self._connection().exec_driver_sql(_INSERT, vars(upload))

    def lend(self, upload_id: UUID) -> Upload:
        params = {"id": upload_id, "owner_id": self._principal.user_id}
        row = self._connection().exec_driver_sql(_LEND, params).mappings().first()
        if row is None:
            raise UploadNotFound(id=upload_id)
        return Upload(**row)

    def append(self, upload: Upload, offset: int, data: bytes) -> None:
        sealed = self._sealer.seal_data(_SEALED_IN, f"{upload.id}/{offset}", upload.id, data)
        self._connection().exec_driver_sql(
            _INSERT_CHUNK, {"id": upload.id, "starts_at": offset, "length": len(data), "sealed": sealed}
        )
        self._connection().exec_driver_sql(
            "update uploads set received = %(received)s where id = %(id)s",
            {"id": upload.id, "received": upload.received},
        )

    def destroy(self, upload_ids: Collection[UUID]) -> None:
        self._keyring.destroy(upload_ids)
        wanted = {"ids": list(upload_ids)}
        self._connection().exec_driver_sql("delete from uploads where id = any(%(ids)s)", wanted)
        # The name of a file may be that of a person.
        self._connection().exec_driver_sql(
            "update imports set file_name = '' where upload_id = any(%(ids)s)", wanted
        )


class Files:
    """Reads uploaded files."""

    def __init__(self, reader: Reader, sealer: Sealer) -> None:
        self._reader = reader
        self._sealer = sealer

    def head(self, upload: Upload, rows: int) -> Head:
        """The columns of a whole file and its first rows.

        Raises UploadExpired, FileUnreadable or FileEmpty.
        """
        encoding = "" if upload.format == XLSX else encoding_of(self._blocks(upload.id))
        with closing(self.records(upload.id, upload.format, encoding, most=rows + 1)) as records:
            found = list(islice(records, rows + 1))
        if not found or found[0].broken:
            raise FileEmpty
        header, *samples = found
        return Head(column_names(header.cells), [record.cells for record in samples], encoding)

    def records(
        self,
        upload_id: UUID,
        format: str,
        encoding: str,
        progress: Callable[[int], None] = lambda read: None,
        *,
        most: int | None = None,
    ) -> Generator[Record, None, None]:
        """The rows of a file, the header first; to be closed when no more are wanted.

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
                _SEALED_IN, f"{upload_id}/{offset}", upload_id, chunk.sealed
            )
            if data is None:
                raise UploadExpired
            yield data
            offset += len(data)
