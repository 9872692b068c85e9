"""ImportService: files, mappings and the runs over them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.customer.v1 import import_service_pb2 as pb
from customer.api.duplicates import reasons_of
from customer.domain.importing.csv_files import told
from customer.domain.importing.errors import ENDINGS, ImportNotFound, UploadNotFound
from customer.domain.importing.mapping import Column, missing_fields, suggest
from customer.domain.importing.reports import as_csv
from customer.domain.importing.uploads import Upload
from customer.domain.matching import Reason
from customer.store import queries_of_imports as queries
from customer.usecases.imports.create_upload import append_upload, create_upload
from customer.usecases.imports.start_import import Draft, cancel_import, confirm_import, start_import
from customer.wiring import CustomerApp
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call

# So many rows of a report are read at once, and a chunk of its file ends behind so many bytes.
_REPORTED, _CHUNK = 1_000, 1 << 20


class ImportServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def create_upload(self, request: pb.CreateUploadRequest, call: Call) -> pb.Upload:
        return _upload(create_upload(call.work, request.file_name, request.size), call.language)

    def append_upload(self, request: pb.AppendUploadRequest, call: Call) -> pb.Upload:
        upload_id = parse_id(request.id, "id")
        upload = append_upload(call.work, upload_id, request.offset, request.data)
        return _upload(upload, call.language)

    def get_upload(self, request: pb.GetUploadRequest, call: Call) -> pb.Upload:
        return _upload(self._upload(request.id, "id", call), call.language)

    def suggest_mapping(self, request: pb.SuggestMappingRequest, call: Call) -> pb.SuggestMappingResponse:
        upload = self._upload(request.upload_id, "upload_id", call)
        upload.require_ready()
        head = queries.open_head(self._app.reader, self._app.importing.file_sealer, upload.id)
        mac = self._app.importing.marks.columns(head.names)
        saved = queries.saved_mapping(self._app.reader, call.principal, mac)
        columns = suggest(head.names, head.samples, saved)
        return pb.SuggestMappingResponse(
            columns=[pb.ColumnMapping(column=c.name, field=c.field, reason=c.reason) for c in columns],
            encoding=told(head.encoding),
            missing_fields=missing_fields(columns),
        )

    def start_import(self, request: pb.StartImportRequest, call: Call) -> pb.Import:
        draft = Draft(
            upload_id=parse_id(request.upload_id, "upload_id"),
            columns=[Column(mapped.column, mapped.field) for mapped in request.columns],
            source=request.source,
            kind=request.kind,
            owner_id=parse_id(request.owner_id, "owner_id") if request.owner_id else None,
            merge_duplicates=request.merge_duplicates,
        )
        return self._as_it_is(start_import(call.work, self._app.importing.marks, draft).id, call)

    def confirm_import(self, request: pb.ConfirmImportRequest, call: Call) -> pb.Import:
        return self._as_it_is(confirm_import(call.work, parse_id(request.id, "id")).id, call)

    def cancel_import(self, request: pb.CancelImportRequest, call: Call) -> pb.Import:
        return self._as_it_is(cancel_import(call.work, parse_id(request.id, "id")).id, call)

    def get_import(self, request: pb.GetImportRequest, call: Call) -> pb.Import:
        return _import(self._import(self._app.reader, parse_id(request.id, "id"), call), call.language)

    def list_imports(self, request: pb.ListImportsRequest, call: Call) -> pb.ListImportsResponse:
        size = page_size(request.page_size)
        query = ("ListImports", call.principal.id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        before = UUID(cursor[0]) if cursor else None
        rows = queries.list_imports(self._app.reader, call.principal, before, size + 1)
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].id)]) if len(rows) > size else ""
        return pb.ListImportsResponse(
            imports=[_import(row, call.language) for row in rows[:size]], next_page_token=token
        )

    def list_import_rows(self, request: pb.ListImportRowsRequest, call: Call) -> pb.ListImportRowsResponse:
        import_id = parse_id(request.import_id, "import_id")
        size = page_size(request.page_size)
        query = ("ListImportRows", call.principal.id, import_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        self._import(self._app.reader, import_id, call)
        after = int(cursor[0]) if cursor else 0
        rows = queries.list_rows(self._app.reader, import_id, after, size + 1)
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].line)]) if len(rows) > size else ""
        return pb.ListImportRowsResponse(
            rows=[_row(row, call.language) for row in rows[:size]], next_page_token=token
        )

    def get_import_report(self, request: pb.GetImportReportRequest, call: Call) -> pb.ImportReportChunk:
        import_id = parse_id(request.import_id, "import_id")
        self._import(self._app.reader, import_id, call)
        data, last = b"", request.after_line
        for row in queries.list_rows(self._app.reader, import_id, request.after_line, _REPORTED):
            data += as_csv([_cells(row, call.language)], first=not last)
            last = row.line
            if len(data) >= _CHUNK:
                break
        return pb.ImportReportChunk(data=data, last_line=last)

    def _upload(self, text: str, field: str, call: Call) -> Upload:
        upload_id = parse_id(text, field)
        upload = queries.get_upload(self._app.reader, call.principal, upload_id)
        if upload is None:
            raise UploadNotFound(id=upload_id)
        return upload

    def _import(self, reader: Any, import_id: UUID, call: Call) -> Any:
        row = queries.get_import(reader, call.principal, import_id)
        if row is None:
            raise ImportNotFound(id=import_id)
        return row

    def _as_it_is(self, import_id: UUID, call: Call) -> pb.Import:
        """The import as this transaction has left it."""
        return _import(self._import(call.open_work.reader, import_id, call), call.language)


def _upload(upload: Upload, language: str) -> pb.Upload:
    return pb.Upload(
        id=str(upload.id),
        file_name=upload.file_name,
        size=upload.size,
        received=upload.received,
        expire_time=upload.expires_at,
        state=f"UPLOAD_STATE_{upload.state.upper()}",
        error=upload.refused.message(language) if upload.refused else "",
    )


def _import(row: Any, language: str) -> pb.Import:
    ending = ENDINGS.get(row.error)
    return pb.Import(
        id=str(row.id),
        upload_id=str(row.upload_id),
        file_name=row.file_name,
        state=f"IMPORT_STATE_{row.state.upper()}",
        rows_read=row.rows_read,
        rows_created=row.rows_created,
        rows_merged=row.rows_merged,
        rows_unchanged=row.rows_unchanged,
        rows_refused=row.rows_refused,
        bytes_read=row.bytes_read,
        bytes_total=row.bytes_total,
        create_time=row.created_at,
        end_time=row.ended_at,
        error=ending().message(language) if ending else "",
    )


def _row(row: Any, language: str) -> pb.ImportRow:
    return pb.ImportRow(
        line=row.line,
        outcome=f"ROW_OUTCOME_{row.outcome.upper()}",
        customer_id=str(row.customer_id or ""),
        problems=[
            pb.RowProblem(column=said["column"], rule=said["rule"], message=said[language])
            for said in row.problems
        ],
        team_id=str(row.team_id or ""),
        reasons=reasons_of(Reason(**reason) for reason in row.reasons),
    )


def _cells(row: Any, language: str) -> list[str]:
    """A row of the report as cells of its file."""
    return [
        str(row.line),
        row.outcome,
        str(row.customer_id or ""),
        str(row.team_id or ""),
        "; ".join(f"{reason['field']}: {reason['level']}" for reason in row.reasons),
        "; ".join(f"{said['column']}: {said[language]}" for said in row.problems),
    ]
