"""Files of people and companies brought in through the gateway, and customers found again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from crm.customer.v1 import import_service_pb2 as pb
from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2 import SearchCustomersRequest
from crm_cli.client import Session, wait_until
from crm_cli.tour.importing import read

# Seconds; the process that imports may be killed meanwhile.
LONGEST = 180.0
_CHUNK = 1 << 20
_BUSY = (pb.IMPORT_STATE_TRIAL_RUNNING, pb.IMPORT_STATE_RUNNING)


def csv_of(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([list(header), *map(list, rows)])
    return text.getvalue().encode()


@dataclass
class Importing:
    """What somebody brings in from one source."""

    session: Session
    source: str = field(default_factory=lambda: f"imports {uuid4().hex[:8]}")
    kind: str = "person"
    owner_id: str = ""

    def upload(self, content: bytes) -> str:
        """The id of the file once it has arrived and was read."""
        imports = self.session.imports
        request = pb.CreateUploadRequest(file_name="file.csv", size=len(content), request_id=str(uuid4()))
        upload_id: str = self.session.call(imports.CreateUpload, request).id
        for offset in range(0, len(content), _CHUNK):
            data = content[offset : offset + _CHUNK]
            self.session.call(
                imports.AppendUpload, pb.AppendUploadRequest(id=upload_id, offset=offset, data=data)
            )
        return read(self.session, upload_id).id

    def suggested(self, upload_id: str) -> pb.SuggestMappingResponse:
        request = pb.SuggestMappingRequest(upload_id=upload_id)
        answer: pb.SuggestMappingResponse = self.session.call(self.session.imports.SuggestMapping, request)
        return answer

    def start(self, upload_id: str, mapping: Mapping[str, str] | None = None) -> pb.Import:
        """Begins the trial, with the suggested mapping when none is given."""
        columns = (
            self.suggested(upload_id).columns
            if mapping is None
            else [pb.ColumnMapping(column=column, field=name) for column, name in mapping.items()]
        )
        request = pb.StartImportRequest(
            upload_id=upload_id, columns=columns, source=self.source, kind=self.kind, owner_id=self.owner_id,
            merge_duplicates=True, request_id=str(uuid4()),
        )  # fmt: skip
        started: pb.Import = self.session.call(self.session.imports.StartImport, request)
        return started

    def tried(self, content: bytes) -> pb.Import:
        """The import of a file after its trial."""
        return self.at_rest(self.start(self.upload(content)).id)

    def confirm(self, import_id: str) -> None:
        request = pb.ConfirmImportRequest(id=import_id, request_id=str(uuid4()))
        self.session.call(self.session.imports.ConfirmImport, request)

    def cancel(self, import_id: str) -> None:
        request = pb.CancelImportRequest(id=import_id, request_id=str(uuid4()))
        self.session.call(self.session.imports.CancelImport, request)

    def done(self, content: bytes) -> pb.Import:
        """The import of a file at its end."""
        import_id = self.tried(content).id
        self.confirm(import_id)
        return self.at_rest(import_id)

    def now(self, import_id: str) -> pb.Import:
        found: pb.Import = self.session.call(
            self.session.imports.GetImport, pb.GetImportRequest(id=import_id)
        )
        return found

    def at_rest(self, import_id: str) -> pb.Import:
        """The import once it waits for a word or has ended."""
        return wait_until(
            lambda: None if (now := self.now(import_id)).state in _BUSY else now, LONGEST, pause=0.1
        )

    def report(self, import_id: str) -> list[pb.ImportRow]:
        request = pb.ListImportRowsRequest(import_id=import_id, page_size=200)
        return list(self.session.call(self.session.imports.ListImportRows, request).rows)


def search(session: Session, text: str) -> list[Customer]:
    request = SearchCustomersRequest(text=text)
    return list(session.call(session.customers.SearchCustomers, request).customers)
