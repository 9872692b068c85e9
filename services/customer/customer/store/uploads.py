"""Uploaded files: chunks sealed under the file's own key, which is destroyed with it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.importing.errors import UploadNotFound
from customer.domain.importing.uploads import Head, Upload
from customer.store.queries_of_imports import CHUNKS_SEALED_IN, HEADS_SEALED_IN, UPLOADS, open_head, upload_of
from customer.usecases.ports import READ_HEADS
from kernel.jobs import deferral
from kernel.pure.grants import Principal
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

_INSERT = """
    insert into uploads (id, owner_id, file_name, size, received, expires_at, created_at)
    values (%(id)s, %(owner_id)s, %(file_name)s, %(size)s, %(received)s, %(expires_at)s, now())
"""
_LEND = f"""
    {UPLOADS} where u.id = %(id)s and (%(owner_id)s::uuid is null or u.owner_id = %(owner_id)s)
    for no key update of u
"""
# One that failed lets the others go first.
_UNREAD = f"""
    {UPLOADS} where u.received = u.size and h.upload_id is null order by u.failures, u.id limit 1
"""
_INSERT_CHUNK = """
    insert into upload_chunks (upload_id, starts_at, length, sealed)
    values (%(id)s, %(starts_at)s, %(length)s, %(sealed)s)
"""
_INSERT_HEAD = "insert into upload_heads (upload_id, sealed) values (%(id)s, %(sealed)s)"
_INSERT_REASON = """
    insert into upload_heads (upload_id, reason, facts) values (%(id)s, %(reason)s, %(facts)s::jsonb)
"""


class UploadRepository:
    def __init__(
        self, session: Session, principal: Principal, reader: Reader, sealer: Sealer, keyring: Keyring
    ) -> None:
        self._session = session
        self._connection = session.connection
        self._principal = principal
        self._reader = reader
        self._sealer = sealer
        self._keyring = keyring

    def add(self, upload: Upload) -> None:
        self._connection().exec_driver_sql(_INSERT, vars(upload))

    def lend(self, upload_id: UUID) -> Upload:
        return self._lend(upload_id, self._principal.user_id)

    def hold(self, upload_id: UUID) -> Upload:
        return self._lend(upload_id, None)

    def append(self, upload: Upload, offset: int, data: bytes) -> None:
        sealed = self._sealer.seal_data(CHUNKS_SEALED_IN, f"{upload.id}/{offset}", upload.id, data)
        self._connection().exec_driver_sql(
            _INSERT_CHUNK, {"id": upload.id, "starts_at": offset, "length": len(data), "sealed": sealed}
        )
        self._connection().exec_driver_sql(
            "update uploads set received = %(received)s where id = %(id)s",
            {"id": upload.id, "received": upload.received},
        )

    def wake(self) -> None:
        # A job for each file: one that is waiting already may start before this transaction has committed.
        deferral.defer(self._session, READ_HEADS, {}, lock=READ_HEADS)

    def unread(self) -> Upload | None:
        row = self._connection().exec_driver_sql(_UNREAD).first()
        return upload_of(row) if row is not None else None

    def keep_head(self, upload: Upload, head: Head) -> None:
        sealed = self._sealer.seal(HEADS_SEALED_IN, upload.id, upload.id, asdict(head))
        self._connection().exec_driver_sql(_INSERT_HEAD, {"id": upload.id, "sealed": sealed})

    def keep_failure(self, upload: Upload) -> None:
        self._connection().exec_driver_sql(
            "update uploads set failures = %(failures)s where id = %(id)s",
            {"id": upload.id, "failures": upload.failures},
        )
        if upload.refused is not None:
            facts = json.dumps(dict(upload.refused.metadata))
            self._connection().exec_driver_sql(
                _INSERT_REASON, {"id": upload.id, "reason": upload.refused.reason, "facts": facts}
            )

    def head(self, upload: Upload) -> Head:
        return open_head(self._reader, self._sealer, upload.id)

    def destroy(self, upload_ids: Collection[UUID]) -> None:
        self._keyring.destroy(upload_ids)
        wanted = {"ids": list(upload_ids)}
        self._connection().exec_driver_sql("delete from uploads where id = any(%(ids)s)", wanted)
        # The name of a file may be that of a person.
        self._connection().exec_driver_sql(
            "update imports set file_name = '' where upload_id = any(%(ids)s)", wanted
        )

    def _lend(self, upload_id: UUID, owner_id: UUID | None) -> Upload:
        row = self._connection().exec_driver_sql(_LEND, {"id": upload_id, "owner_id": owner_id}).first()
        if row is None:
            raise UploadNotFound(id=upload_id)
        return upload_of(row)
