"""Files about customers, sealed in chunks under the customer's key of a class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.sealing import Sealer
from sales.store.document_queries import CHUNK, chunk_row

_ADD = """
    insert into documents (id, customer_id, key_class, sealed, size, created_at)
    values (%(id)s, %(customer_id)s, %(key_class)s, %(sealed)s, %(size)s, %(now)s)
"""
_ADD_CHUNK = "insert into document_chunks (document_id, number, sealed) values (%s, %s, %s)"
_FORGET = (
    "delete from document_chunks where document_id = %(id)s",
    "delete from documents where id = %(id)s",
)


class DocumentRepository:
    def __init__(self, session: Session, sealers: Mapping[str, Sealer], now: datetime) -> None:
        self._run = session.connection
        self._sealers = sealers
        self._now = now

    def add(self, document_id: UUID, customer_id: UUID, key_class: str, file_name: str, data: bytes) -> None:
        """Keeps a file. Raises SubjectErased."""
        sealer = self._sealers[key_class]
        params = {
            "id": document_id,
            "customer_id": customer_id,
            "key_class": key_class,
            "sealed": sealer.seal("documents", document_id, customer_id, {"file_name": file_name}),
            "size": len(data),
            "now": self._now,
        }
        self._run().exec_driver_sql(_ADD, params)
        chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
        rows = [
            (
                document_id,
                number,
                sealer.seal_data("document_chunks", chunk_row(document_id, number), customer_id, chunk),
            )
            for number, chunk in enumerate(chunks)
        ]
        self._run().exec_driver_sql(_ADD_CHUNK, rows)

    def forget(self, document_id: UUID) -> None:
        for statement in _FORGET:
            self._run().exec_driver_sql(statement, {"id": document_id})
