"""A file brought in as a manager does it: uploaded in pieces, mapped, tried with 100 rows, then all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from crm.customer.v1.import_service_pb2 import (
    AppendUploadRequest,
    ColumnMapping,
    ConfirmImportRequest,
    CreateUploadRequest,
    GetImportRequest,
    GetUploadRequest,
    Import,
    ImportRow,
    ImportState,
    ListImportRowsRequest,
    RowOutcome,
    StartImportRequest,
    SuggestMappingRequest,
    SuggestMappingResponse,
    Upload,
    UploadState,
)
from crm_cli.client import Session, wait_until
from crm_cli.tour import febrl
from crm_cli.tour.feed import Tick

TRIAL_ROWS = 100
CHUNK = 40_000  # bytes
# Seconds one stage of an import may take; the parts of the system may be restarting meanwhile.
STAGE = 180.0
_PAGE = 200
_BUSY = (ImportState.IMPORT_STATE_TRIAL_RUNNING, ImportState.IMPORT_STATE_RUNNING)
TRIAL_DONE, DONE = ImportState.IMPORT_STATE_TRIAL_DONE, ImportState.IMPORT_STATE_DONE


@dataclass(frozen=True)
class Importer:
    """Imports as the account of `session`, for the user `owner_id`. What is sent again within a run has
    no second effect.
    """

    session: Session
    owner_id: str
    run: UUID

    def upload(self, name: str, content: bytes, tick: Tick) -> str:
        """The id of the file once all its pieces have arrived and it was read. `name` tells it from the run's
        others."""
        imports = self.session.imports
        request = CreateUploadRequest(
            file_name=f"{name}.csv", size=len(content), request_id=self._request_id(f"upload {name}")
        )
        upload_id: str = self.session.call(imports.CreateUpload, request).id
        for offset in range(0, len(content), CHUNK):
            data = content[offset : offset + CHUNK]
            self.session.call(
                imports.AppendUpload, AppendUploadRequest(id=upload_id, offset=offset, data=data)
            )
            tick(len(data))
        return read(self.session, upload_id).id

    def suggestion(self, upload_id: str) -> SuggestMappingResponse:
        request = SuggestMappingRequest(upload_id=upload_id)
        answer: SuggestMappingResponse = self.session.call(self.session.imports.SuggestMapping, request)
        return answer

    def start(self, name: str, upload_id: str, mapping: Mapping[str, str]) -> Import:
        """The import after its trial."""
        request = StartImportRequest(
            upload_id=upload_id,
            columns=[ColumnMapping(column=column, field=field) for column, field in mapping.items()],
            source=febrl.SOURCE,
            kind="person",
            owner_id=self.owner_id,
            merge_duplicates=True,
            request_id=self._request_id(f"start {name}"),
        )
        return self._at_rest(self.session.call(self.session.imports.StartImport, request))

    def confirm(self, name: str, started: Import) -> Import:
        """The import at its end."""
        request = ConfirmImportRequest(id=started.id, request_id=self._request_id(f"confirm {name}"))
        return self._at_rest(self.session.call(self.session.imports.ConfirmImport, request))

    def all_of(self, name: str, content: bytes, remark: str) -> Import:
        """A whole file by the known mapping, without a look in between."""
        upload_id = self.upload(name, content, lambda _: None)
        return self.confirm(name, self.start(name, upload_id, mapping(remark)))

    def report(self, done: Import) -> Iterator[ImportRow]:
        """The rows that were refused or merged, or that may be known people."""
        request = ListImportRowsRequest(import_id=done.id, page_size=_PAGE)
        while True:
            page = self.session.call(self.session.imports.ListImportRows, request)
            yield from page.rows
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _at_rest(self, told: Import) -> Import:
        """The import once it waits for a word or has ended. Raises TimedOut."""
        if told.state not in _BUSY:
            return told

        def look() -> Import | None:
            now: Import = self.session.call(self.session.imports.GetImport, GetImportRequest(id=told.id))
            return None if now.state in _BUSY else now

        return wait_until(look, STAGE)

    def _request_id(self, what: str) -> str:
        return str(uuid5(self.run, what))


def read(session: Session, upload_id: str) -> Upload:
    """A file that has arrived once it was read, well or not. Raises TimedOut."""

    def look() -> Upload | None:
        now: Upload = session.call(session.imports.GetUpload, GetUploadRequest(id=upload_id))
        return None if now.state == UploadState.UPLOAD_STATE_READING else now

    return wait_until(look, STAGE, pause=0.02, longest=0.5)


def mapping(remark: str) -> dict[str, str]:
    """Each column of the export with its field; the last one is left out."""
    return febrl.COLUMNS | {remark: ""}


def told_of(suggestion: SuggestMappingResponse) -> str:
    """What a suggestion lacks, and how the file is written."""
    fields = {column.column: column.field for column in suggestion.columns}
    wrong = [column for column, field in febrl.COLUMNS.items() if fields.get(column) != field]
    missing = ", ".join(suggestion.missing_fields) or "nothing"
    return f"{suggestion.encoding}; missing: {missing}; to correct: {', '.join(wrong) or 'nothing'}"


def is_saved(suggestion: SuggestMappingResponse) -> bool:
    """Whether it is the mapping that was used last, and nothing is missing."""
    fields = {column.column: column.field for column in suggestion.columns if column.field}
    reasons = {column.reason for column in suggestion.columns if column.field}
    wanted = {column: field for column, field in febrl.COLUMNS.items() if field}
    return fields == wanted and reasons == {"saved"} and not suggestion.missing_fields


def counts(done: Import, state: ImportState) -> dict[str, int] | str:
    """What became of the rows; in words when it is in another state than it must be."""
    if done.state != state:
        return f"{ImportState.Name(done.state)}: {done.error}"
    stored = done.rows_created + done.rows_merged + done.rows_unchanged
    return {"read": done.rows_read, "stored": stored, "refused": done.rows_refused}


def refusals(rows: list[ImportRow]) -> list[str]:
    """Lines that were refused with column and rule: "146 出生日期 DATE_FORMAT"."""
    return [
        f"{row.line} {problem.column} {problem.rule}"
        for row in rows
        if row.outcome == RowOutcome.ROW_OUTCOME_REFUSED
        for problem in row.problems
    ]


def merged(rows: list[ImportRow]) -> list[ImportRow]:
    return [row for row in rows if row.outcome == RowOutcome.ROW_OUTCOME_MERGED and row.customer_id]
