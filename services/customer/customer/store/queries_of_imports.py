"""The read side of imports: everybody sees their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from customer.domain.importing.errors import UNREADABLE, UploadExpired
from customer.domain.importing.uploads import Head, Upload
from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

# What is sealed under the key of a file is bound to these tables.
CHUNKS_SEALED_IN, HEADS_SEALED_IN = "upload_chunks", "upload_heads"
# Uploads with what came of reading them, for `upload_of`.
UPLOADS = """
    select u.id, u.owner_id, u.file_name, u.size, u.received, u.expires_at, u.failures,
           h.sealed is not null as has_head, h.reason, h.facts
    from uploads u left join upload_heads h on h.upload_id = u.id
"""
_UPLOAD = f"{UPLOADS} where u.id = %(id)s and u.owner_id = %(me)s"
_IMPORT = """
    select id, upload_id, file_name, state, rows_read, rows_created, rows_merged, rows_unchanged,
           rows_refused, bytes_read, bytes_total, created_at, ended_at, error
    from imports where owner_id = %(me)s
"""
_ROWS = """
    select line, outcome, customer_id, problems, team_id, reasons from import_rows
    where import_id = %(id)s and line > %(after)s order by line limit %(limit)s
"""
_MAPPING = """
    select columns from import_mappings where owner_id = %(me)s and columns_mac = %(mac)s
    order by saved_at desc limit 1
"""


def get_upload(reader: Reader, principal: Principal, upload_id: UUID) -> Upload | None:
    row = reader.row(_UPLOAD, {"id": upload_id, "me": principal.user_id})
    return upload_of(row) if row is not None else None


def upload_of(row: Any) -> Upload:
    """The upload in a row of UPLOADS."""
    return Upload(
        id=row.id,
        owner_id=row.owner_id,
        file_name=row.file_name,
        size=row.size,
        received=row.received,
        expires_at=row.expires_at,
        has_head=row.has_head,
        refused=UNREADABLE[row.reason](**row.facts) if row.reason else None,
        failures=row.failures,
    )


def open_head(reader: Reader, sealer: Sealer, upload_id: UUID) -> Head:
    """How a file begins that is ready; `sealer` is that of files. Raises UploadExpired."""
    row = reader.row("select sealed from upload_heads where upload_id = %(id)s", {"id": upload_id})
    document = row and sealer.open(HEADS_SEALED_IN, upload_id, upload_id, row.sealed)
    if document is None:
        raise UploadExpired
    return Head(**document)


def get_import(reader: Reader, principal: Principal, import_id: UUID) -> Any | None:
    return reader.row(f"{_IMPORT} and id = %(id)s", {"id": import_id, "me": principal.user_id})


def list_imports(reader: Reader, principal: Principal, before: UUID | None, limit: int) -> list[Any]:
    """Newest first, from the one that comes after `before`."""
    sql = f"{_IMPORT} and (%(before)s::uuid is null or id < %(before)s) order by id desc limit %(limit)s"
    return reader.rows(sql, {"me": principal.user_id, "before": before, "limit": limit})


def list_rows(reader: Reader, import_id: UUID, after: int, limit: int) -> list[Any]:
    """The row report in the order of the file, after line `after`; the caller has checked whose it is."""
    return reader.rows(_ROWS, {"id": import_id, "after": after, "limit": limit})


def saved_mapping(reader: Reader, principal: Principal, columns_mac: bytes) -> dict[str, str] | None:
    """How the principal last mapped such columns: field by column."""
    row = reader.row(_MAPPING, {"me": principal.user_id, "mac": columns_mac})
    return row.columns if row is not None else None
