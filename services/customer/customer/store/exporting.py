"""What exporting works with, besides an open unit of work: customers by pages, sealed files, signatures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from customer.domain.exporting.errors import ExportExpired
from customer.domain.exporting.runs import PAGE_ROWS
from customer.store import finding, queries
from customer.store.composing import compose
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_PERMISSION = "customer.customers.export"
_SEALED_IN = "export_chunks"
_SIGNING_KEY = ("export-manifests", "1")
_CHUNK = """
    select length, sealed from export_chunks where export_id = %(id)s and starts_at = %(starts_at)s
"""
_RANGE = """
    select starts_at, sealed from export_chunks
    where export_id = %(id)s and starts_at + length > %(begin)s and starts_at < %(end)s order by starts_at
"""


def within_export(principal: Principal, filter: str) -> finding.Question:
    """The customers that a principal may both read and export and that fit a filter, in order of their
    ids. Raises Invalid naming the filter."""
    return finding.listing(filter, "create_time", False).narrowed(*queries.predicate(principal, _PERMISSION))


class Exporting:
    """Made once a process. `file_sealer` seals files, each under a key of its own."""

    def __init__(self, app: App, sealer: Sealer, file_sealer: Sealer) -> None:
        self._app = app
        self._sealer = sealer
        self._file_sealer = file_sealer

    def page(
        self, principal: Principal, filter: str, after: str, personal: bool
    ) -> tuple[list[Any], list[dict[str, Any] | None], str | None]:
        """The next customers, with what those that they absorbed know; their documents, which are None
        for companies, for persons whose keys are gone, and unless `personal`; and the id after which
        more follow, or None."""
        question = within_export(principal, filter)
        reader = self._app.reader
        rows, cursor = finding.page(reader, principal, question, [after] if after else None, PAGE_ROWS)
        documents: list[dict[str, Any] | None] = [None] * len(rows)
        if personal:
            documents = queries.open_documents(self._sealer, rows)
        if any(row.absorbs for row in rows):
            rows, documents = compose(reader, self._sealer, rows, documents)
        return rows, documents, cursor[0] if cursor else None

    def seal(self, export_id: UUID, starts_at: int, data: bytes) -> bytes:
        return self._file_sealer.seal_data(_SEALED_IN, f"{export_id}/{starts_at}", export_id, data)

    def chunk(self, reader: Reader, export_id: UUID, starts_at: int) -> bytes | None:
        """The part that begins just there; None when none does. Raises ExportExpired."""
        row = reader.row(_CHUNK, {"id": export_id, "starts_at": starts_at})
        return None if row is None else self._opened(export_id, starts_at, row.sealed)

    def read(self, reader: Reader, export_id: UUID, offset: int, most: int) -> bytes:
        """Up to `most` bytes of a file from an offset on. Raises ExportExpired."""
        rows: Sequence[Any] = reader.rows(_RANGE, {"id": export_id, "begin": offset, "end": offset + most})
        data = b"".join(self._opened(export_id, row.starts_at, row.sealed) for row in rows)
        begins = rows[0].starts_at if rows else offset
        return data[offset - begins : offset - begins + most]

    def destroy(self, export_ids: Collection[UUID]) -> None:
        self._app.keyring.destroy(export_ids)

    def sign(self, manifest: bytes) -> bytes:
        return self._key.sign(manifest)

    def public_key(self) -> str:
        """In PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._app.keyring.service_key(*_SIGNING_KEY))

    def _opened(self, export_id: UUID, starts_at: int, sealed: bytes) -> bytes:
        data = self._file_sealer.open_data(_SEALED_IN, f"{export_id}/{starts_at}", export_id, sealed)
        if data is None:
            raise ExportExpired
        return data
