"""Taking people out: rows a second from the call that asks for a file to its last byte, and memory."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

import psycopg

from crm.customer.v1.export_service_pb2 import (
    DownloadExportRequest,
    Export,
    ExportFormat,
    ExportPolicy,
    ExportState,
    GetExportRequest,
    StartExportRequest,
    UpdateExportPolicyRequest,
)
from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount
from crm_cli.client import Gateway, Session, wait_until
from tests.bench.figures import Figure
from tests.bench.filling import import_file
from tests.bench.import_bench import people_csv
from tests.support.memory import MIB, peaks
from tests.support.stack import private_stack

# Seconds one export may take.
_PATIENCE = 600.0
_FORMATS = {"": ExportFormat.EXPORT_FORMAT_CSV, "_xlsx": ExportFormat.EXPORT_FORMAT_XLSX}


def bench(size: int) -> list[Figure]:
    """Everybody with every field, personal ones in clear, as a client that may do so asks for it. The limit
    is a COPY of the same rows out of their table, sealed as they are."""
    name = f"export_{size // 1000}k"
    figures = []
    with private_stack("bench-export") as info:
        gateway = Gateway(info.gateway_url, Path(info.ca_file))
        erp = _exporter(gateway.password_account(info.admin_login, info.admin_password).session(), gateway)
        import_file(erp, people_csv(size), "bench")
        jobs = info.process("customer.jobs").pid or 0
        for suffix, form in _FORMATS.items():
            copied = _copied_out(info.service("customer").database_owner_url)
            with peaks([jobs]) as most:
                began = time.perf_counter()
                written = _written(erp, form)
                until_written = time.perf_counter() - began
                _download(erp, written)
                took = time.perf_counter() - began
            rows, limit = written.rows_done, ("copy out", copied)
            figures += [
                Figure(f"{name}{suffix}", rows / took, "rows/s", *limit),
                Figure(f"{name}{suffix}_written", rows / until_written, "rows/s", *limit),
                Figure(f"{name}{suffix}_memory", max(most.values()) / MIB, "MiB"),
            ]
    return figures


def _exporter(admin: Session, gateway: Gateway) -> Session:
    """A service account that may bring in and take out everybody, however many they are."""
    account = ServiceAccount(name="bench", role_ids=["integration"])
    request = CreateServiceAccountRequest(service_account=account, request_id=str(uuid4()))
    made = admin.call(admin.directory.CreateServiceAccount, request)
    policy = UpdateExportPolicyRequest(
        policy=ExportPolicy(rows_without_approval=10_000_000), request_id=str(uuid4())
    )
    admin.call(admin.exports.UpdateExportPolicy, policy)
    return gateway.secret_account(made.service_account.id, made.client_secret).session()


def _written(session: Session, form: ExportFormat.ValueType) -> Export:
    asked = StartExportRequest(format=form, reason="bench", source="bench", request_id=str(uuid4()))
    begun = session.call(session.exports.StartExport, asked)

    def look() -> Export | None:
        now: Export = session.call(session.exports.GetExport, GetExportRequest(id=begun.id))
        return None if now.state == ExportState.EXPORT_STATE_RUNNING else now

    ended: Export = wait_until(look, _PATIENCE)
    if ended.state != ExportState.EXPORT_STATE_DONE:
        raise RuntimeError(f"the export ended as {ExportState.Name(ended.state)}: {ended.error}")
    return ended


def _download(session: Session, export: Export) -> None:
    offset = 0
    while offset < export.size:
        piece = DownloadExportRequest(id=export.id, offset=offset)
        offset = session.call(session.exports.DownloadExport, piece).next_offset


def _copied_out(url: str) -> float:
    """Rows a second of the customers' table, as text to a client."""
    with psycopg.connect(url) as database, database.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy("copy app.customers to stdout") as copy:
            for _ in copy:
                pass
        return cursor.rowcount / (time.perf_counter() - began)
