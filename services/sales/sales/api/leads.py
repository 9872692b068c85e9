"""crm.sales.v1.LeadService"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from crm.sales.v1 import lead_pb2
from crm.sales.v1 import lead_service_pb2 as rpc
from kernel.pure.errors import Checks, CrmError
from kernel.pure.ids import new_id, parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.rpc.status import to_status
from sales import metrics
from sales.api import lead_translate as translate
from sales.domain.assignment import Roster
from sales.domain.errors import LeadNotFound
from sales.domain.lead import CLOSE_REASONS, LARGEST_BATCH
from sales.store import lead_queries as queries
from sales.usecases.follow_up_leads import close_lead
from sales.usecases.hand_out_leads import assign_lead, claim_lead
from sales.usecases.ports import People
from sales.usecases.score_leads import record_facts
from sales.usecases.take_leads import KnownLead, keep_lead, know_lead, roster, take_lead
from sales.wiring import SalesApp


class LeadServicer:
    def __init__(self, app: SalesApp, people: People) -> None:
        self._app = app
        self._people = people

    def create_lead(self, request: rpc.CreateLeadRequest, call: Call) -> lead_pb2.Lead:
        draft = translate.lead_draft(request.lead, request.contact if request.HasField("contact") else None)
        # The same request finds the same person, also when our answer to the first was lost.
        request_id = parse_id(request.request_id, "request_id") if request.request_id else None
        lead = take_lead(call.work, self._people, draft, request_id)
        metrics.leads_taken.labels("api").inc()
        return self._answer(call, lead.id)

    def batch_create_leads(
        self, request: rpc.BatchCreateLeadsRequest, call: Call
    ) -> rpc.BatchCreateLeadsResponse:
        checks = Checks()
        if not 1 <= len(request.leads) <= LARGEST_BATCH:
            en, zh = f"must hold 1 to {LARGEST_BATCH} items", f"必须包含 1 至 {LARGEST_BATCH} 项"
            checks.refuse("leads", "BATCH_SIZE", en, zh)
        checks.raise_if_any()
        base = parse_id(request.request_id, "request_id") if request.request_id else new_id()
        sellers = roster(call.work)
        # The customer service is asked for all of them before anything is locked for the first.
        known = [
            self._know(item, uuid5(base, str(index)), sellers, call)
            for index, item in enumerate(request.leads)
        ]
        return rpc.BatchCreateLeadsResponse(outcomes=[self._keep(one, call) for one in known])

    def get_lead(self, request: rpc.GetLeadRequest, call: Call) -> lead_pb2.Lead:
        row = self._row(call, request.id, "id")
        call.viewed("lead", [row.id])
        return self._messages([row])[0]

    def list_leads(self, request: rpc.ListLeadsRequest, call: Call) -> rpc.ListLeadsResponse:
        query = ("ListLeads", call.principal.id, request.filter)

        def page(cursor: list[str] | None, limit: int) -> list[Any]:
            after = UUID(cursor[0]) if cursor else None
            return queries.list_leads(self._app.reader, call.principal, request.filter, after, limit)

        leads, token = self._page(query, request, call, page, lambda row: [str(row.id)])
        return rpc.ListLeadsResponse(leads=leads, next_page_token=token)

    def list_pool_leads(self, request: rpc.ListPoolLeadsRequest, call: Call) -> rpc.ListPoolLeadsResponse:
        def page(cursor: list[str] | None, limit: int) -> list[Any]:
            after = (int(cursor[0]), UUID(cursor[1])) if cursor else None
            return queries.list_pool(self._app.reader, call.principal, after, limit)

        query = ("ListPoolLeads", call.principal.id)
        leads, token = self._page(query, request, call, page, lambda row: [str(row.score), str(row.id)])
        return rpc.ListPoolLeadsResponse(leads=leads, next_page_token=token)

    def claim_lead(self, request: rpc.ClaimLeadRequest, call: Call) -> lead_pb2.Lead:
        return self._answer(call, claim_lead(call.work, parse_id(request.id, "id")).id)

    def assign_lead(self, request: rpc.AssignLeadRequest, call: Call) -> lead_pb2.Lead:
        to = request.WhichOneof("to")
        if to is None or (to != "owner_id" and not getattr(request, to)):
            checks = Checks()
            checks.refuse("to", "REQUIRED", "must say to whom", "必须说明分配给谁")
            checks.raise_if_any()
        owner_id = parse_id(request.owner_id, "owner_id") if to == "owner_id" else None
        lead = assign_lead(call.work, parse_id(request.id, "id"), owner_id, by_rules=to == "by_rules")
        return self._answer(call, lead.id)

    def explain_assignment(
        self, request: rpc.ExplainAssignmentRequest, call: Call
    ) -> rpc.ExplainAssignmentResponse:
        row = self._row(call, request.lead_id, "lead_id")
        decisions = queries.assignments(self._app.reader, row.id)
        return rpc.ExplainAssignmentResponse(
            assignments=[translate.assignment_message(decision) for decision in decisions]
        )

    def record_lead_facts(self, request: rpc.RecordLeadFactsRequest, call: Call) -> lead_pb2.Lead:
        told = translate.facts(request.facts, call.open_work.now)
        lead = record_facts(call.work, parse_id(request.lead_id, "lead_id"), told)
        return self._answer(call, lead.id)

    def explain_score(self, request: rpc.ExplainScoreRequest, call: Call) -> lead_pb2.LeadScore:
        row = self._row(call, request.lead_id, "lead_id")
        return translate.score_message(queries.latest_score(self._app.reader, row.id))

    def close_lead(self, request: rpc.CloseLeadRequest, call: Call) -> lead_pb2.Lead:
        if request.reason not in CLOSE_REASONS:
            checks = Checks()
            known = ", ".join(CLOSE_REASONS)
            checks.refuse("reason", "UNKNOWN_REASON", f"is one of {known}", f"必须是 {known} 之一")
            checks.raise_if_any()
        return self._answer(call, close_lead(call.work, parse_id(request.id, "id"), request.reason).id)

    def _know(self, item: rpc.NewLead, request_id: UUID, sellers: Roster, call: Call) -> KnownLead | CrmError:
        contact = item.contact if item.HasField("contact") else None
        try:
            draft = translate.lead_draft(item.lead, contact)
            return know_lead(call.work, self._people, sellers, draft, request_id)
        except CrmError as error:
            if error.transient:
                raise
            return error

    def _keep(self, known: KnownLead | CrmError, call: Call) -> rpc.LeadOutcome:
        if isinstance(known, CrmError):
            return rpc.LeadOutcome(error=to_status(known, call.language))
        try:
            # A lead that is refused in the middle leaves nothing behind.
            with call.open_work.session.begin_nested():
                lead = keep_lead(call.work, known)
        except CrmError as error:
            if error.transient:
                raise
            return rpc.LeadOutcome(error=to_status(error, call.language))
        metrics.leads_taken.labels("batch").inc()
        return rpc.LeadOutcome(created_id=str(lead.id))

    def _row(self, call: Call, text: str, field: str) -> Any:
        row = queries.get_lead(self._app.reader, call.principal, parse_id(text, field))
        if row is None:
            raise LeadNotFound
        return row

    def _answer(self, call: Call, lead_id: UUID) -> lead_pb2.Lead:
        """The lead after a command; one that went out of the caller's reach by it is told by its id only."""
        row = queries.get_lead(call.open_work.reader, call.principal, lead_id)
        return self._messages([row])[0] if row is not None else lead_pb2.Lead(id=str(lead_id))

    def _messages(self, rows: list[Any]) -> list[lead_pb2.Lead]:
        words = queries.open_words(self._app.seals.subjects, queries.SEALED_IN, rows)
        return [translate.lead_message(row, said) for row, said in zip(rows, words, strict=True)]

    def _page(
        self,
        query: tuple[object, ...],
        request: Any,
        call: Call,
        page: Callable[[list[str] | None, int], list[Any]],
        cursor_of: Callable[[Any], list[str]],
    ) -> tuple[list[lead_pb2.Lead], str]:
        """A page of leads and the token of the next one."""
        size = page_size(request.page_size)
        # One more than a page holds tells whether another page follows.
        rows = page(self._app.page_tokens.open(query, request.page_token), size + 1)
        shown = rows[:size]
        call.viewed("lead", [row.id for row in shown])
        token = self._app.page_tokens.seal(query, cursor_of(shown[-1])) if len(rows) > size else ""
        return self._messages(shown), token
