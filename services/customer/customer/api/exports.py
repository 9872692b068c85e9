"""ExportService: files on their way out, and who lets them go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.customer.v1 import export_service_pb2 as pb
from customer.domain.exporting.errors import ENDINGS, ExportNotFound
from customer.domain.exporting.errors import ExportState as WrongState
from customer.store import queries_of_exports as queries
from customer.usecases.exports.decide_export import approve_export, change_export_policy, reject_export
from customer.usecases.exports.start_export import Draft, cancel_export, start_export
from customer.usecases.exports.write_export import download_export
from customer.wiring import CustomerApp
from kernel.pure.errors import Checks
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.sql.engine import Reader

_CHUNK = 1 << 20
_FORMATS = {
    pb.EXPORT_FORMAT_CSV: "csv",
    pb.EXPORT_FORMAT_XLSX: "xlsx",
    pb.EXPORT_FORMAT_JSONL: "jsonl",
}


class ExportServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def start_export(self, request: pb.StartExportRequest, call: Call) -> pb.Export:
        draft = Draft(
            filter=request.filter,
            fields=request.fields,
            format=_FORMATS.get(request.format, ""),
            reason=request.reason,
            raw=request.raw,
            source=request.source,
            language=call.language,
        )
        return self._decided(start_export(call.work, draft).id, call)

    def cancel_export(self, request: pb.CancelExportRequest, call: Call) -> pb.Export:
        return self._decided(cancel_export(call.work, parse_id(request.id, "id")).id, call)

    def approve_export(self, request: pb.ApproveExportRequest, call: Call) -> pb.Export:
        return self._decided(approve_export(call.work, parse_id(request.id, "id")).id, call)

    def reject_export(self, request: pb.RejectExportRequest, call: Call) -> pb.Export:
        return self._decided(reject_export(call.work, parse_id(request.id, "id")).id, call)

    def get_export(self, request: pb.GetExportRequest, call: Call) -> pb.Export:
        export_id = parse_id(request.id, "id")
        row = queries.get_export(self._app.reader, call.principal, export_id)
        if row is None:
            raise ExportNotFound(id=export_id)
        return _export(row, call.language)

    def list_exports(self, request: pb.ListExportsRequest, call: Call) -> pb.ListExportsResponse:
        exports, token = self._page("ListExports", queries.list_exports, request, call)
        return pb.ListExportsResponse(exports=exports, next_page_token=token)

    def list_exports_to_approve(
        self, request: pb.ListExportsToApproveRequest, call: Call
    ) -> pb.ListExportsToApproveResponse:
        exports, token = self._page("ListExportsToApprove", queries.list_to_approve, request, call)
        return pb.ListExportsToApproveResponse(exports=exports, next_page_token=token)

    def download_export(self, request: pb.DownloadExportRequest, call: Call) -> pb.ExportChunk:
        export_id = parse_id(request.id, "id")
        export = download_export(call.work, export_id, request.offset)
        checks = Checks()
        if not 0 <= request.offset <= export.size:
            checks.refuse("offset", "RANGE", "must lie within the file", "必须在文件范围内")
        checks.raise_if_any()
        data = self._app.exporting.read(call.open_work.reader, export_id, request.offset, _CHUNK)
        return pb.ExportChunk(data=data, next_offset=request.offset + len(data), size=export.size)

    def get_export_manifest(self, request: pb.GetExportManifestRequest, call: Call) -> pb.ExportManifest:
        export_id = parse_id(request.id, "id")
        row = queries.get_manifest(self._app.reader, call.principal, export_id)
        if row is None:
            raise ExportNotFound(id=export_id)
        if row.manifest is None:
            raise WrongState(state=row.state)
        return pb.ExportManifest(manifest=row.manifest, signature=row.signature)

    def get_export_key(self, request: pb.GetExportKeyRequest, call: Call) -> pb.ExportKey:
        return pb.ExportKey(pem=self._app.exporting.public_key())

    def get_export_policy(self, request: pb.GetExportPolicyRequest, call: Call) -> pb.ExportPolicy:
        return _policy(queries.get_policy(self._app.reader))

    def update_export_policy(self, request: pb.UpdateExportPolicyRequest, call: Call) -> pb.ExportPolicy:
        change_export_policy(call.work, request.policy.rows_without_approval)
        return _policy(queries.get_policy(call.open_work.reader))

    def _page(self, method: str, query: Any, request: Any, call: Call) -> tuple[list[pb.Export], str]:
        """A page of exports and the token of the next."""
        size = page_size(request.page_size)
        bound = (method, call.principal.id)
        cursor = self._app.page_tokens.open(bound, request.page_token)
        rows = query(self._app.reader, call.principal, UUID(cursor[0]) if cursor else None, size + 1)
        token = self._app.page_tokens.seal(bound, [str(rows[size - 1].id)]) if len(rows) > size else ""
        return [_export(row, call.language) for row in rows[:size]], token

    def _decided(self, export_id: UUID, call: Call) -> pb.Export:
        """The export as this transaction has left it."""
        reader: Reader = call.open_work.reader
        return _export(queries.any_export(reader, export_id), call.language)


def _export(row: Any, language: str) -> pb.Export:
    options = row.options
    ending = ENDINGS.get(row.error)
    return pb.Export(
        id=str(row.id),
        exporter_id=str(row.owner_id),
        state=f"EXPORT_STATE_{row.state.upper()}",
        file_name=f"customers-{row.created_at:%Y%m%d}-{row.id.hex[-8:]}.{options['format']}",
        filter=options["filter"],
        fields=options["fields"],
        format=f"EXPORT_FORMAT_{options['format'].upper()}",
        reason=options["reason"],
        raw=options["raw"],
        source=options["source"],
        rows_total=row.rows_total,
        rows_done=row.rows_done,
        size=row.size,
        approver_id=str(row.approver_id or ""),
        policy_version=row.policy_version,
        create_time=row.created_at,
        end_time=row.ended_at,
        expire_time=row.expires_at,
        error=ending().message(language) if ending else "",
    )


def _policy(row: Any) -> pb.ExportPolicy:
    return pb.ExportPolicy(
        version=row.version,
        rows_without_approval=row.rows_without_approval,
        update_time=row.created_at,
        updater_id=row.actor_id,
    )
