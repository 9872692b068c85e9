"""crm.privacy.v1.ErasureService"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.privacy.v1 import erasure_service_pb2 as rpc
from crm.type.v1 import erasure_pb2
from kernel.pure.clock import parse_date
from kernel.pure.errors import Checks
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.rpc.reading import instant
from privacy.domain.certificates import text_en, text_zh
from privacy.domain.erasure import Erasure, State, Task
from privacy.domain.errors import ErasureNotFound, ErasureNotInState
from privacy.store import queries_of_erasures as queries
from privacy.store.reading import erasure_of
from privacy.usecases.erase_subjects import open_erasure, refuse_erasure, verify_erasure
from privacy.usecases.hold_subjects import lift_hold, place_hold
from privacy.usecases.reapply_erasures import BATCH, reapply_erasures
from privacy.wiring import PrivacyApp


class ErasureServicer:
    """Requests are the officer's: whoever may read them sees all."""

    def __init__(self, app: PrivacyApp) -> None:
        self._app = app

    def create_erasure_request(
        self, request: rpc.CreateErasureRequestRequest, call: Call
    ) -> rpc.ErasureRequest:
        return _message(open_erasure(call.work, parse_id(request.subject_id, "subject_id")), call.work.now)

    def verify_erasure_request(
        self, request: rpc.VerifyErasureRequestRequest, call: Call
    ) -> rpc.ErasureRequest:
        return _message(
            verify_erasure(call.work, parse_id(request.id, "id"), request.evidence), call.work.now
        )

    def refuse_erasure_request(
        self, request: rpc.RefuseErasureRequestRequest, call: Call
    ) -> rpc.ErasureRequest:
        refused = refuse_erasure(
            call.work, parse_id(request.id, "id"), _refusal_code(request.code), request.reason
        )
        return _message(refused, call.work.now)

    def reapply_erasures(
        self, request: rpc.ReapplyErasuresRequest, call: Call
    ) -> rpc.ReapplyErasuresResponse:
        since = instant(request, "closed_since", "closed_since")
        ids = reapply_erasures(call.work, since, instant(request, "closed_before", "closed_before"))
        return rpc.ReapplyErasuresResponse(ids=map(str, ids), more=len(ids) == BATCH)

    def get_erasure_request(self, request: rpc.GetErasureRequestRequest, call: Call) -> rpc.ErasureRequest:
        row = self._row(request.id, call)
        return _message(erasure_of(row), self._app.clock.now())

    def list_erasure_requests(
        self, request: rpc.ListErasureRequestsRequest, call: Call
    ) -> rpc.ListErasureRequestsResponse:
        size = page_size(request.page_size)
        query = ("ListErasureRequests", call.principal.id, request.open)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = UUID(cursor[0]) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_erasures(self._app.reader, request.open, after, size + 1)
        page = rows[:size]
        call.viewed("erasure_request", [row.id for row in page])
        now = self._app.clock.now()
        response = rpc.ListErasureRequestsResponse(requests=[_message(erasure_of(row), now) for row in page])
        if len(rows) > size:
            response.next_page_token = self._app.page_tokens.seal(query, [str(page[-1].id)])
        return response

    def get_erasure_certificate(
        self, request: rpc.GetErasureCertificateRequest, call: Call
    ) -> rpc.ErasureCertificate:
        row = self._row(request.id, call)
        if row.certificate is None:
            raise ErasureNotInState(state=row.state)
        erasure = erasure_of(row)
        return rpc.ErasureCertificate(
            document=row.certificate, text_zh=text_zh(erasure), text_en=text_en(erasure)
        )

    def place_hold(self, request: rpc.PlaceHoldRequest, call: Call) -> rpc.Hold:
        checks = Checks()
        until = (
            parse_date(request.until, lambda rule, en, zh: checks.refuse("until", rule, en, zh))
            if request.until
            else None
        )
        checks.raise_if_any()
        return _hold(place_hold(call.work, parse_id(request.subject_id, "subject_id"), request.reason, until))

    def lift_hold(self, request: rpc.LiftHoldRequest, call: Call) -> rpc.Hold:
        return _hold(lift_hold(call.work, parse_id(request.id, "id")))

    def list_holds(self, request: rpc.ListHoldsRequest, call: Call) -> rpc.ListHoldsResponse:
        subject_id = parse_id(request.subject_id, "subject_id") if request.subject_id else None
        rows = queries.list_holds(self._app.reader, subject_id)
        call.viewed("hold", [row.id for row in rows])
        return rpc.ListHoldsResponse(holds=[_hold(row) for row in rows])

    def _row(self, id: str, call: Call) -> Any:
        row = queries.get_erasure(self._app.reader, parse_id(id, "id"))
        if row is None:
            raise ErasureNotFound
        call.viewed("erasure_request", [row.id])
        return row


def _refusal_code(number: int) -> str:
    """ "legal_duty"; empty for none, and for one that is none of ours."""
    names = {code: name for name, code in rpc.RefusalCode.items() if code != rpc.REFUSAL_CODE_UNSPECIFIED}
    return names.get(number, "").removeprefix("REFUSAL_CODE_").lower()


def _message(erasure: Erasure, now: datetime) -> rpc.ErasureRequest:
    message = rpc.ErasureRequest(
        id=str(erasure.id),
        subject_id=str(erasure.customer_id),
        state=f"ERASURE_STATE_{erasure.state.name}",
        overdue=not erasure.ended and erasure.due_at < now,
        evidence=erasure.evidence,
        refusal_code=f"REFUSAL_CODE_{erasure.refusal_code.upper() or 'UNSPECIFIED'}",
        refusal_reason=erasure.refusal_reason,
        tasks=[_task(name, task, erasure) for name, task in sorted(erasure.tasks.items())],
    )
    message.receive_time.FromDatetime(erasure.received_at)
    message.due_time.FromDatetime(erasure.due_at)
    if erasure.closed_at is not None:
        message.close_time.FromDatetime(erasure.closed_at)
    return message


def _task(name: str, task: Task, erasure: Erasure) -> rpc.ErasureTask:
    checked = erasure.state in (State.KEY_SHREDDED, State.CLOSED) and task.clean >= erasure.check_from
    return rpc.ErasureTask(
        service=name,
        state=f"TASK_STATE_{task.state.name}",
        counts=[
            erasure_pb2.ErasedRows(table=table, rows=rows) for table, rows in sorted(task.counts.items())
        ],
        retained=[
            erasure_pb2.RetainedRows(basis=one.basis, until=one.until.isoformat(), rows=one.rows)
            for one in task.retained
        ],
        verified=checked,
    )


def _hold(hold: Any) -> rpc.Hold:
    """From a row, or from the hold just placed."""
    message = rpc.Hold(
        id=str(hold.id),
        subject_id=str(hold.subject_id),
        reason=hold.reason,
        until=hold.until.isoformat() if hold.until else "",
    )
    message.place_time.FromDatetime(hold.placed_at)
    if hold.lifted_at is not None:
        message.lift_time.FromDatetime(hold.lifted_at)
    return message
