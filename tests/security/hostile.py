"""Who sends what is to do harm, how it is refused, and that nothing of it is stored."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import grpc

from crm.customer.v1 import import_service_pb2 as imports
from crm_cli.client import Session
from crm_cli.tour.importing import read
from tests.security.matrix import Exposed, every_method
from tests.support.api import Refused as Answered
from tests.support.api import fields_of, reason_of
from tests.system.behind import Behind

CHUNK = 1 << 20
DEADLINE = 30.0
# Who called and signed in, what is to be told and done, and what was uploaded or tried but not taken.
_BESIDE = {
    "audit", "audit_chain", "audit_checkpoints", "audit_unsealed", "sealed_checkpoints", "sealed_entries",
    "seal_keys",
    "idempotency", "inbox", "outbox", "timers", "sessions", "refresh_tokens", "uploads", "upload_chunks",
    "upload_heads", "imports", "import_rows", "import_mappings", "decisions",
}  # fmt: skip
_COUNTED = """
    select table_name, (xpath('/row/rows/text()', query_to_xml(
        format('select count(*) as rows from app.%%I', table_name), false, true, '')))[1]::text
    from information_schema.tables where table_schema = 'app' and table_type = 'BASE TABLE'
"""


def rows_of_tables(behind: Behind, service: str) -> dict[str, int]:
    """How many rows each table of a service has."""
    counted = behind.rows(service, _COUNTED)
    return {table: int(rows) for table, rows in counted if table not in _BESIDE}


class Caller:
    """Calls any method and says how it was refused."""

    def __init__(self, channel: grpc.Channel, token: str) -> None:
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"), ("accept-language", "en"))

    def refusal(self, exposed: Exposed, request: Any) -> tuple[str, list[tuple[str, str]]]:
        """The reason and the (field, rule) of each violation; "OK" when it was carried out, also when
        one item of a batch was."""
        method = exposed.method
        call = self._channel.unary_unary(
            f"/{method.full_name}",
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            answer = call(request, timeout=DEADLINE, metadata=self._metadata)
        except grpc.RpcError as error:
            refused = Answered(error)
            return reason_of(refused.status), fields_of(refused.status)
        errors = [outcome.error for outcome in getattr(answer, "outcomes", ())]
        if errors and all(error.code for error in errors):
            return reason_of(errors[0]), fields_of(errors[0])
        return "OK", []


def upload(session: Session, name: str, data: Any) -> str:
    """Brings blocks in as one file; answers its id once it was read, or could not be."""
    size = sum(map(len, data))
    asked = imports.CreateUploadRequest(file_name=name, size=size, request_id=str(uuid4()))
    made = session.call(session.imports.CreateUpload, asked)
    offset = 0
    for block in data:
        part = imports.AppendUploadRequest(id=made.id, offset=offset, data=block)
        session.call(session.imports.AppendUpload, part)
        offset += len(block)
    return read(session, made.id).id


def method(name: str) -> Exposed:
    """The only method of this name."""
    [exposed] = [one for one in every_method() if one.method.name == name]
    return exposed
