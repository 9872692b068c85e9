"""Exports: their rows, their files, the rules for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.exporting.errors import ExportNotFound
from customer.domain.exporting.runs import Export, Options, Page, Policy, State
from customer.store import finding
from customer.store.exporting import Exporting, within_export
from customer.usecases.ports import EXPORT
from kernel.jobs import deferral
from kernel.pure.errors import StaleEtag
from kernel.pure.grants import Principal
from kernel.sql.engine import Reader

_COLUMNS = """
    id, state, options, principal, rows_total, rows_done, allowance, policy_version, size, after, form,
    personal, approver_id, failures, error, created_at, ended_at, expires_at
"""
_INSERT = """
    insert into exports (id, owner_id, state, options, principal, rows_total, allowance, policy_version,
                         created_at, expires_at)
    values (%(id)s, %(owner_id)s, %(state)s, %(options)s::jsonb, %(principal)s::jsonb, %(rows_total)s,
            %(allowance)s, %(policy_version)s, %(created_at)s, %(expires_at)s)
"""
_LEND = f"""
    select {_COLUMNS} from exports
    where id = %(id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s) for no key update
"""
# The one that is least far: a small one does not wait for a large one to end.
_NEXT = f"select {_COLUMNS} from exports where state = 'running' order by rows_done, id limit 1"
_SAVE = """
    update exports
    set state = %(state)s, rows_total = %(rows_total)s, rows_done = %(rows_done)s, size = %(size)s,
        after = %(after)s, form = %(form)s::jsonb, personal = %(personal)s, approver_id = %(approver_id)s,
        failures = %(failures)s, error = %(error)s, ended_at = %(ended_at)s, expires_at = %(expires_at)s
    where id = %(id)s
"""
_INSERT_CHUNK = """
    insert into export_chunks (export_id, starts_at, length, sealed)
    values (%(id)s, %(starts_at)s, %(length)s, %(sealed)s)
"""
_PUT_POLICY = """
    insert into export_policies (version, rows_without_approval, created_at, actor_id)
    values (%(version)s, %(rows)s, %(now)s, %(actor_id)s) on conflict do nothing
"""
# One person's exports are started one after the other, so that each counts those before.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('exports of ' || %(owner_id)s, 0))"
_UNAPPROVED = """
    select coalesce(sum(rows_total), 0)::bigint from exports
    where owner_id = %(owner_id)s and created_at > %(since)s and approver_id is null
      and state in ('running', 'done', 'expired')
"""
_LARGEST_CHUNK = 1 << 20


class ExportRepository:
    def __init__(
        self, session: Session, principal: Principal, reader: Reader, exporting: Exporting, now: datetime
    ) -> None:
        self._session = session
        self._connection = session.connection
        self._principal = principal
        self._reader = reader
        self._exporting = exporting
        self._now = now

    def policy(self) -> Policy:
        sql = "select version, rows_without_approval from export_policies order by version desc limit 1"
        row = self._connection().exec_driver_sql(sql).one()
        return Policy(row.version, row.rows_without_approval)

    def put_policy(self, policy: Policy) -> None:
        params = {
            "version": policy.version,
            "rows": policy.rows_without_approval,
            "now": self._now,
            "actor_id": self._principal.id,
        }
        if not self._connection().exec_driver_sql(_PUT_POLICY, params).rowcount:
            raise StaleEtag

    def count(self, filter: str) -> int:
        return finding.count(self._reader, self._principal, within_export(self._principal, filter))

    def unapproved(self, since: datetime) -> int:
        params = {"owner_id": self._principal.user_id, "since": since}
        self._connection().exec_driver_sql(_ALONE, {"owner_id": self._principal.id})
        return int(self._connection().exec_driver_sql(_UNAPPROVED, params).scalar_one())

    def add(self, export: Export) -> None:
        self._connection().exec_driver_sql(
            _INSERT,
            {
                "id": export.id,
                "owner_id": export.principal.user_id,
                "state": export.state,
                "options": json.dumps(asdict(export.options), ensure_ascii=False),
                "principal": json.dumps(export.principal.document()),
                "rows_total": export.rows_total,
                "allowance": export.allowance,
                "policy_version": export.policy_version,
                "created_at": export.created_at,
                "expires_at": export.expires_at,
            },
        )

    def lend(self, export_id: UUID) -> Export:
        return self._lend(export_id, self._principal.user_id)

    def hold(self, export_id: UUID) -> Export:
        return self._lend(export_id, None)

    def next(self) -> Export | None:
        row = self._connection().exec_driver_sql(_NEXT).first()
        return export_of(row) if row is not None else None

    def save(self, export: Export) -> None:
        self._connection().exec_driver_sql(
            _SAVE,
            {
                "id": export.id,
                "state": export.state,
                "rows_total": export.rows_total,
                "rows_done": export.rows_done,
                "size": export.size,
                "after": export.after,
                "form": json.dumps(dict(export.form)),
                "personal": export.personal,
                "approver_id": export.approver_id,
                "failures": export.failures,
                "error": export.error,
                "ended_at": export.ended_at,
                "expires_at": export.expires_at,
            },
        )

    def append(self, export: Export, page: Page) -> None:
        begins = export.size - len(page.data)
        for place in range(0, len(page.data), _LARGEST_CHUNK):
            chunk = page.data[place : place + _LARGEST_CHUNK]
            starts_at = begins + place
            sealed = self._exporting.seal(export.id, starts_at, chunk)
            self._connection().exec_driver_sql(
                _INSERT_CHUNK,
                {"id": export.id, "starts_at": starts_at, "length": len(chunk), "sealed": sealed},
            )

    def digest(self, export_id: UUID) -> str:
        sha256 = hashlib.sha256()
        for data in self._stored(export_id):
            sha256.update(data)
        return sha256.hexdigest()

    def certify(self, export: Export, manifest: bytes) -> None:
        self._connection().exec_driver_sql(
            "update exports set manifest = %(manifest)s, signature = %(signature)s where id = %(id)s",
            {"id": export.id, "manifest": manifest, "signature": self._exporting.sign(manifest)},
        )

    def destroy(self, export_ids: Collection[UUID]) -> None:
        self._exporting.destroy(export_ids)
        self._connection().exec_driver_sql(
            "delete from export_chunks where export_id = any(%(ids)s)", {"ids": list(export_ids)}
        )

    def wake(self) -> None:
        deferral.defer(self._session, EXPORT, {}, lock=EXPORT, queueing_lock=EXPORT)

    def _lend(self, export_id: UUID, owner_id: UUID | None) -> Export:
        row = self._connection().exec_driver_sql(_LEND, {"id": export_id, "owner_id": owner_id}).first()
        if row is None:
            raise ExportNotFound(id=export_id)
        return export_of(row)

    def _stored(self, export_id: UUID) -> Iterator[bytes]:
        starts_at = 0
        while True:
            chunk = self._exporting.chunk(self._reader, export_id, starts_at)
            if chunk is None:
                return
            yield chunk
            starts_at += len(chunk)


def export_of(row: Any) -> Export:
    """The export in a row of its table."""
    return Export(
        id=row.id,
        principal=Principal.of(row.principal),
        options=Options(**{**row.options, "fields": tuple(row.options["fields"])}),
        state=State(row.state),
        rows_total=row.rows_total,
        allowance=row.allowance,
        policy_version=row.policy_version,
        created_at=row.created_at,
        expires_at=row.expires_at,
        rows_done=row.rows_done,
        size=row.size,
        after=row.after,
        form=row.form,
        personal=row.personal,
        approver_id=row.approver_id,
        failures=row.failures,
        error=row.error,
        ended_at=row.ended_at,
    )
