"""crm.privacy.v1.AuditService"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.event.v1 import audit_pb2
from crm.privacy.v1 import audit_service_pb2 as rpc
from kernel.pure.audit_chain import AuditEntry, Checkpoint, Link, first_fault, instant
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from privacy.store import queries_of_audit as queries
from privacy.wiring import PrivacyApp

# Positions are 64-bit: no chain reaches this one.
_END = 2**63 - 1


class AuditServicer:
    """Whoever may read the audit sees all of it; that they did is audited as any view is."""

    def __init__(self, app: PrivacyApp) -> None:
        self._app = app

    def list_audit_entries(
        self, request: rpc.ListAuditEntriesRequest, call: Call
    ) -> rpc.ListAuditEntriesResponse:
        size = page_size(request.page_size)
        query = ("ListAuditEntries", call.principal.id, request.filter)
        cursor = self._app.page_tokens.open(query, request.page_token)
        before = (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_entries(self._app.reader, request.filter, before, size + 1)
        page = rows[:size]
        call.viewed("audit", ["entries"])
        response = rpc.ListAuditEntriesResponse(entries=[_sealed(row) for row in page])
        if len(rows) > size:
            cursor = [page[-1].at.isoformat(), str(page[-1].id)]
            response.next_page_token = self._app.page_tokens.seal(query, cursor)
        return response

    def get_audit_verdicts(
        self, request: rpc.GetAuditVerdictsRequest, call: Call
    ) -> rpc.GetAuditVerdictsResponse:
        call.viewed("audit", ["verdicts"])
        rows = queries.services(self._app.reader, request.service)
        return rpc.GetAuditVerdictsResponse(verdicts=[self._verdict(row) for row in rows])

    def list_audit_links(self, request: rpc.ListAuditLinksRequest, call: Call) -> rpc.ListAuditLinksResponse:
        size = page_size(request.page_size)
        query = ("ListAuditLinks", call.principal.id, request.service)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = int(cursor[0]) if cursor else 0
        reader = self._app.reader
        rows = queries.list_links(reader, request.service, after, size + 1)
        page = rows[:size]
        call.viewed("audit", [request.service])
        response = rpc.ListAuditLinksResponse(links=[_sealed(row) for row in page])
        if page:
            [known] = queries.services(reader, request.service)
            signed = queries.checkpoints(reader, request.service, after, page[-1].position)
            response.checkpoints.extend(_checkpoint_message(row, known.public_key) for row in signed)
        if len(rows) > size:
            response.next_page_token = self._app.page_tokens.seal(query, [str(page[-1].position)])
        return response

    def _verdict(self, known: Any) -> rpc.AuditVerdict:
        reader = self._app.reader
        public = bytes(known.public_key or b"")
        signed = [_checkpoint(row) for row in queries.checkpoints(reader, known.service, 0, _END)]
        walked = _Walked(queries.walk(reader, known.service))
        fault = first_fault(known.service, walked, signed, public)
        return rpc.AuditVerdict(
            service=known.service,
            entries=str(walked.count),
            signed_position=signed[-1].position if signed else "0",
            public_key=public.hex(),
            fault_position=str(fault.position) if fault else "",
            fault=fault.why if fault else "",
        )


class _Walked:
    """The links of rows, counted while they are walked."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Link]:
        for row in self._rows:
            self.count += 1
            yield Link(row.position, _entry(row), bytes(row.hash))


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        id=str(row.id),
        at=instant(row.at),
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
        facts=row.facts,
        trace_id=row.trace_id,
    )


def _sealed(row: Any) -> rpc.SealedEntry:
    return rpc.SealedEntry(
        service=row.service,
        position=str(row.position),
        entry=audit_pb2.AuditEntry(**vars(_entry(row))),
        hash=bytes(row.hash).hex(),
    )


def _checkpoint(row: Any, public: bytes = b"") -> Checkpoint:
    return Checkpoint(
        position=str(row.position),
        hash=bytes(row.hash).hex(),
        signed_at=instant(row.signed_at),
        key_id=row.key_id,
        public_key=bytes(public).hex(),
        signature=bytes(row.signature).hex(),
    )


def _checkpoint_message(row: Any, public: bytes) -> audit_pb2.Checkpoint:
    return audit_pb2.Checkpoint(**vars(_checkpoint(row, public)))
