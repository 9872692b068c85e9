"""crm.sales.v1.FollowUpService"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm.sales.v1 import follow_up_service_pb2 as rpc
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from sales.api import lead_translate as translate
from sales.domain.errors import LeadNotFound
from sales.store import lead_queries as queries
from sales.usecases.follow_up_leads import record_follow_up
from sales.wiring import SalesApp


class FollowUpServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def record_follow_up(self, request: rpc.RecordFollowUpRequest, call: Call) -> rpc.FollowUp:
        lead_id = parse_id(request.lead_id, "lead_id")
        told = translate.follow_up_draft(request.follow_up, call.open_work.now)
        follow_up_id, told, remind_at = record_follow_up(call.work, lead_id, told)
        return rpc.FollowUp(
            id=str(follow_up_id),
            lead_id=str(lead_id),
            actor_id=call.principal.id,
            method=told.method,
            occur_time=told.occurred_at,
            remind_time=remind_at,
            **told.words(),
        )

    def list_follow_ups(self, request: rpc.ListFollowUpsRequest, call: Call) -> rpc.ListFollowUpsResponse:
        lead_id = parse_id(request.lead_id, "lead_id")
        query = ("ListFollowUps", call.principal.id, lead_id)
        after = _after(self._app.page_tokens.open(query, request.page_token))
        size = page_size(request.page_size)
        lead = queries.get_lead(self._app.reader, call.principal, lead_id)
        if lead is None:
            raise LeadNotFound
        rows = queries.list_follow_ups(self._app.reader, lead.id, after, size + 1)
        call.viewed("lead", [lead.id])
        shown = rows[:size]
        words = queries.open_words(self._app.seals.subjects, queries.FOLLOW_UPS_SEALED_IN, shown)
        return rpc.ListFollowUpsResponse(
            follow_ups=[
                translate.follow_up_message(row, said, lead.clear)
                for row, said in zip(shown, words, strict=True)
            ],
            next_page_token=self._next(query, rows, size, "occurred_at"),
        )

    def list_reminders(self, request: rpc.ListRemindersRequest, call: Call) -> rpc.ListRemindersResponse:
        query = ("ListReminders", call.principal.id, request.raised)
        after = _after(self._app.page_tokens.open(query, request.page_token))
        size = page_size(request.page_size)
        rows = queries.list_reminders(self._app.reader, call.principal, request.raised, after, size + 1)
        return rpc.ListRemindersResponse(
            reminders=[translate.reminder_message(row) for row in rows[:size]],
            next_page_token=self._next(query, rows, size, "due_at"),
        )

    def _next(self, query: tuple[object, ...], rows: list[Any], size: int, at: str) -> str:
        """The token of the page after this one; empty when there is none."""
        if len(rows) <= size:
            return ""
        last = rows[size - 1]
        return self._app.page_tokens.seal(query, [getattr(last, at).isoformat(), str(last.id)])


def _after(cursor: list[str] | None) -> tuple[datetime, UUID] | None:
    return (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None
