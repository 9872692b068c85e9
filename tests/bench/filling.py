"""Bringing people in through the gateway, as a file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import uuid4

from crm.customer.v1.import_service_pb2 import (
    AppendUploadRequest,
    ConfirmImportRequest,
    CreateUploadRequest,
    GetImportRequest,
    Import,
    ImportState,
    StartImportRequest,
    SuggestMappingRequest,
)
from crm_cli.client import Session, wait_until
from crm_cli.tour.importing import read

_CHUNK = 1 << 20
# Seconds one stage may take.
_PATIENCE = 600.0
_BUSY = (ImportState.IMPORT_STATE_TRIAL_RUNNING, ImportState.IMPORT_STATE_RUNNING)


@dataclass(frozen=True)
class Filled:
    """An import at its end, and the seconds from the first byte sent to the last row stored."""

    done: Import
    seconds: float


def import_file(session: Session, content: bytes, source: str) -> Filled:
    """Uploads a file of people and lets all of it be stored; who is surely known is merged."""
    began = time.perf_counter()
    imports = session.imports
    created = CreateUploadRequest(file_name="people.csv", size=len(content), request_id=str(uuid4()))
    upload_id = session.call(imports.CreateUpload, created).id
    for offset in range(0, len(content), _CHUNK):
        piece = AppendUploadRequest(id=upload_id, offset=offset, data=content[offset : offset + _CHUNK])
        session.call(imports.AppendUpload, piece)
    read(session, upload_id)
    suggested = session.call(imports.SuggestMapping, SuggestMappingRequest(upload_id=upload_id))
    start = StartImportRequest(
        upload_id=upload_id,
        columns=suggested.columns,
        source=source,
        kind="person",
        merge_duplicates=True,
        request_id=str(uuid4()),
    )
    tried = _at_rest(session, session.call(imports.StartImport, start), ImportState.IMPORT_STATE_TRIAL_DONE)
    confirm = ConfirmImportRequest(id=tried.id, request_id=str(uuid4()))
    done = _at_rest(session, session.call(imports.ConfirmImport, confirm), ImportState.IMPORT_STATE_DONE)
    return Filled(done, time.perf_counter() - began)


def _at_rest(session: Session, told: Import, wanted: ImportState.ValueType) -> Import:
    def look() -> Import | None:
        now: Import = session.call(session.imports.GetImport, GetImportRequest(id=told.id))
        return None if now.state in _BUSY else now

    state: Import = wait_until(look, _PATIENCE)
    if state.state != wanted:
        raise RuntimeError(f"the import ended as {ImportState.Name(state.state)}: {state.error}")
    return state
