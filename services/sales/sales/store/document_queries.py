"""Reads files about customers, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

CHUNK = 1 << 20
_HEAD = "select id, customer_id, key_class, sealed, size from documents where id = %(id)s"
_CHUNK = """
    select d.customer_id, d.key_class, d.size, c.sealed from documents d
    join document_chunks c on c.document_id = d.id
    where d.id = %(id)s and c.number = %(number)s
"""


def chunk_row(document_id: UUID, number: int) -> str:
    """The row a chunk's seal is bound to."""
    return f"{document_id}/{number}"


def file_name(reader: Reader, sealers: Mapping[str, Sealer], document_id: UUID) -> str:
    """The name of a file; empty when its key was destroyed."""
    row = reader.row(_HEAD, {"id": document_id})
    if row is None:
        return ""
    document = sealers[row.key_class].open("documents", row.id, row.customer_id, row.sealed)
    return str((document or {}).get("file_name", ""))


def piece(reader: Reader, sealers: Mapping[str, Sealer], document_id: UUID, number: int) -> bytes | None:
    """A chunk of a file; None when there is none, or its key was destroyed."""
    row = reader.row(_CHUNK, {"id": document_id, "number": number})
    if row is None:
        return None
    sealer = sealers[row.key_class]
    return sealer.open_data("document_chunks", chunk_row(document_id, number), row.customer_id, row.sealed)


def whole(reader: Reader, sealers: Mapping[str, Sealer], document_id: UUID) -> bytes | None:
    """A whole file; None when there is none, or its key was destroyed."""
    row = reader.row(_HEAD, {"id": document_id})
    if row is None:
        return None
    data = b""
    while len(data) < row.size:
        chunk = piece(reader, sealers, document_id, len(data) // CHUNK)
        if chunk is None:
            return None
        data += chunk
    return data
