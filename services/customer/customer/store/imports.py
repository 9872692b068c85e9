"""Imports, their row reports, and the mappings people used before."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.importing.errors import ImportNotFound
from customer.domain.importing.reports import ReportedRow
from customer.domain.importing.runs import Counts, Import, Options, State
from customer.usecases.ports import IMPORT
from kernel.jobs import deferral
from kernel.pure.grants import Principal

_COUNTS = ("read", "created", "merged", "unchanged", "refused")
_INSERT = """
    insert into imports
        (id, upload_id, file_name, owner_id, state, options, principal, bytes_total, created_at)
    values (%(id)s, %(upload_id)s, %(file_name)s, %(owner_id)s, %(state)s, %(options)s::jsonb,
            %(principal)s::jsonb, %(bytes_total)s, %(now)s)
"""
_COLUMNS = """
    id, upload_id, file_name, state, options, principal, rows_read, rows_created, rows_merged, rows_unchanged,
    rows_refused, bytes_read, bytes_total, failures, error, ended_at
"""
_LEND = f"""
    select {_COLUMNS} from imports
    where id = %(id)s and (%(owner_id)s::uuid is null or owner_id = %(owner_id)s) for no key update
"""
# The next one to work on: whoever tries a file is waiting for it, the others come in their order.
_NEXT = f"""
    select {_COLUMNS} from imports where state in ('trial_running', 'running')
    order by state = 'trial_running' desc, id limit 1
"""
_SAVE = """
    update imports
    set state = %(state)s, rows_read = %(read)s, rows_created = %(created)s, rows_merged = %(merged)s,
        rows_unchanged = %(unchanged)s, rows_refused = %(refused)s, bytes_read = %(bytes_read)s,
        failures = %(failures)s, error = %(error)s, ended_at = %(ended_at)s
    where id = %(id)s
"""
_REPORT = """
    insert into import_rows (import_id, line, outcome, customer_id, problems, team_id, reasons)
    select %(id)s, * from unnest(%(lines)s::int[], %(outcomes)s::text[], %(customers)s::uuid[],
                                 %(problems)s::jsonb[], %(teams)s::uuid[], %(reasons)s::jsonb[])
"""
_SAVE_MAPPING = """
    insert into import_mappings (owner_id, columns_mac, kind, columns, saved_at)
    values (%(owner_id)s, %(mac)s, %(kind)s, %(columns)s::jsonb, %(now)s)
    on conflict (owner_id, columns_mac, kind) do update
    set columns = excluded.columns, saved_at = excluded.saved_at
"""


class ImportRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._session = session
        self._connection = session.connection
        self._principal = principal
        self._now = now

    def add(self, run: Import) -> None:
        self._connection().exec_driver_sql(
            _INSERT,
            {
                "id": run.id,
                "upload_id": run.upload_id,
                "file_name": run.file_name,
                "owner_id": self._principal.user_id,
                "state": run.state,
                "options": json.dumps({**asdict(run.options), "owner_id": str(run.options.owner_id)}),
                "principal": json.dumps(run.principal.document()),
                "bytes_total": run.bytes_total,
                "now": self._now,
            },
        )

    def lend(self, import_id: UUID) -> Import:
        return self._lend(import_id, self._principal.user_id)

    def hold(self, import_id: UUID) -> Import:
        return self._lend(import_id, None)

    def save(self, run: Import) -> None:
        counts = {name: getattr(run.counts, name) for name in _COUNTS}
        self._connection().exec_driver_sql(
            _SAVE,
            {
                "id": run.id,
                "state": run.state,
                **counts,
                "bytes_read": run.bytes_read,
                "failures": run.failures,
                "error": run.error,
                "ended_at": run.ended_at,
            },
        )

    def report(self, import_id: UUID, rows: Sequence[ReportedRow]) -> None:
        if not rows:
            return
        self._connection().exec_driver_sql(
            _REPORT,
            {
                "id": import_id,
                "lines": [row.line for row in rows],
                "outcomes": [row.outcome for row in rows],
                "customers": [row.customer_id for row in rows],
                "problems": [_json([asdict(problem) for problem in row.problems]) for row in rows],
                "teams": [row.team_id for row in rows],
                "reasons": [_json([reason._asdict() for reason in row.reasons]) for row in rows],
            },
        )

    def destroy_reports(self, import_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(
            "delete from import_rows where import_id = any(%(ids)s)", {"ids": list(import_ids)}
        )

    def save_mapping(self, columns_mac: bytes, kind: str, columns: Mapping[str, str]) -> None:
        self._connection().exec_driver_sql(
            _SAVE_MAPPING,
            {
                "owner_id": self._principal.user_id,
                "mac": columns_mac,
                "kind": kind,
                "columns": _json(dict(columns)),
                "now": self._now,
            },
        )

    def wake(self) -> None:
        deferral.defer(self._session, IMPORT, {}, lock=IMPORT, queueing_lock=IMPORT)

    def _lend(self, import_id: UUID, owner_id: UUID | None) -> Import:
        row = self._connection().exec_driver_sql(_LEND, {"id": import_id, "owner_id": owner_id}).first()
        if row is None:
            raise ImportNotFound(id=import_id)
        return import_of(row)

    def next(self) -> Import | None:
        row = self._connection().exec_driver_sql(_NEXT).first()
        return import_of(row) if row is not None else None


def import_of(row: Any) -> Import:
    """The import in a row of its table."""
    options = {**row.options, "owner_id": UUID(row.options["owner_id"])}
    return Import(
        id=row.id,
        upload_id=row.upload_id,
        file_name=row.file_name,
        state=State(row.state),
        options=Options(**options),
        principal=Principal.of(row.principal),
        bytes_total=row.bytes_total,
        counts=Counts(*(getattr(row, f"rows_{name}") for name in _COUNTS)),
        bytes_read=row.bytes_read,
        failures=row.failures,
        error=row.error,
        ended_at=row.ended_at,
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
