"""crm.sales.v1.OpportunityService"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.sales.v1 import opportunity_service_pb2 as rpc
from kernel.pure.errors import Checks
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from sales.api import opportunity_translate as translate
from sales.domain.errors import OpportunityNotFound, PipelineNotFound, ProposalNotFound
from sales.domain.opportunity import Figures
from sales.domain.pipeline import Pipeline, read_pipeline
from sales.store import document_queries
from sales.store import opportunity_queries as queries
from sales.usecases import sell
from sales.wiring import SalesApp


class OpportunityServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def create_opportunity(self, request: rpc.CreateOpportunityRequest, call: Call) -> rpc.Opportunity:
        told = request.opportunity
        customer_id = parse_id(told.customer_id, "opportunity.customer_id")
        made = sell.create_opportunity(call.work, customer_id, told.pipeline, translate.figures(told))
        return self._answer(call, made.id)

    def get_opportunity(self, request: rpc.GetOpportunityRequest, call: Call) -> rpc.Opportunity:
        row = self._row(call, request.id)
        call.viewed("opportunity", [row.id])
        return translate.opportunity_message(row)

    def list_opportunities(
        self, request: rpc.ListOpportunitiesRequest, call: Call
    ) -> rpc.ListOpportunitiesResponse:
        query = ("ListOpportunities", call.principal.id, request.filter)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after, size = UUID(cursor[0]) if cursor else None, page_size(request.page_size)
        # One more than a page holds tells whether another page follows.
        rows = queries.list_opportunities(self._app.reader, call.principal, request.filter, after, size + 1)
        page = rows[:size]
        call.viewed("opportunity", [row.id for row in page])
        token = self._app.page_tokens.seal(query, [str(page[-1].id)]) if len(rows) > size else ""
        return rpc.ListOpportunitiesResponse(
            opportunities=[translate.opportunity_message(row) for row in page], next_page_token=token
        )

    def update_opportunity(self, request: rpc.UpdateOpportunityRequest, call: Call) -> rpc.Opportunity:
        told = request.opportunity
        names = _named(request)
        figures = translate.figures(told)
        opportunity_id = parse_id(told.id, "opportunity.id")
        return self._answer(
            call, sell.update_opportunity(call.work, opportunity_id, told.etag, figures, names).id
        )

    def attach_proposal(self, request: rpc.AttachProposalRequest, call: Call) -> rpc.Opportunity:
        opportunity_id = parse_id(request.id, "id")
        changed = sell.attach_proposal(call.work, opportunity_id, request.file_name, request.data)
        return self._answer(call, changed.id)

    def get_proposal(self, request: rpc.GetProposalRequest, call: Call) -> rpc.GetProposalResponse:
        row = self._row(call, request.id)
        if row.proposal_id is None:
            raise ProposalNotFound
        queries.refuse_restricted(self._app.reader, row.customer_id)
        reader, sealers = self._app.reader, self._app.seals.of_documents
        data = document_queries.whole(reader, sealers, row.proposal_id)
        if data is None:
            raise ProposalNotFound
        call.viewed("proposal", [row.proposal_id])
        name = document_queries.file_name(reader, sealers, row.proposal_id)
        return rpc.GetProposalResponse(file_name=name, data=data)

    def move_stage(self, request: rpc.MoveStageRequest, call: Call) -> rpc.Opportunity:
        return self._answer(call, sell.move_stage(call.work, parse_id(request.id, "id"), request.stage).id)

    def win_opportunity(self, request: rpc.WinOpportunityRequest, call: Call) -> rpc.Opportunity:
        terms = translate.terms_draft(request.terms)
        opportunity_id = parse_id(request.id, "id")
        won, _ = sell.win_opportunity(call.work, opportunity_id, request.terms.template_id, terms)
        return self._answer(call, won.id)

    def lose_opportunity(self, request: rpc.LoseOpportunityRequest, call: Call) -> rpc.Opportunity:
        lost = sell.lose_opportunity(call.work, parse_id(request.id, "id"), request.reason)
        return self._answer(call, lost.id)

    def list_pipelines(self, request: rpc.ListPipelinesRequest, call: Call) -> rpc.ListPipelinesResponse:
        rows = queries.list_pipelines(self._app.reader)
        pipelines = [translate.pipeline_message(Pipeline.of(r.id, r.title, r.stages)) for r in rows]
        return rpc.ListPipelinesResponse(pipelines=pipelines)

    def create_pipeline(self, request: rpc.CreatePipelineRequest, call: Call) -> rpc.Pipeline:
        pipeline = read_pipeline(translate.pipeline_draft(request.pipeline))
        call.work.opportunities.add_pipeline(pipeline)
        call.open_work.audit("create", "pipeline", pipeline.id)
        return translate.pipeline_message(pipeline)

    def get_funnel(self, request: rpc.GetFunnelRequest, call: Call) -> rpc.Funnel:
        rows = queries.funnel(self._app.reader, call.principal, request.pipeline)
        if not rows:
            raise PipelineNotFound(pipeline=request.pipeline)
        stages = [
            rpc.FunnelStage(
                stage=row.stage,
                present=row.present,
                entered=row.entered,
                amounts=[translate.money(Decimal(one["amount"]), one["currency"]) for one in row.amounts],
            )
            for row in rows
        ]
        return rpc.Funnel(stages=stages, won=rows[0].won, lost=rows[0].lost)

    def _row(self, call: Call, text: str) -> Any:
        row = queries.get_opportunity(self._app.reader, call.principal, parse_id(text, "id"))
        if row is None:
            raise OpportunityNotFound
        return row

    def _answer(self, call: Call, opportunity_id: UUID) -> rpc.Opportunity:
        """The opportunity after a command; one that went out of reach by it is told by its id only."""
        row = queries.get_opportunity(call.open_work.reader, call.principal, opportunity_id)
        return translate.opportunity_message(row) if row else rpc.Opportunity(id=str(opportunity_id))


def _named(request: rpc.UpdateOpportunityRequest) -> set[str]:
    """The figures that an update is about: those of the mask, else those that are set. Raises Invalid."""
    masked = set(request.update_mask.paths)
    if not masked <= set(Figures._fields):
        checks = Checks()
        known = ", ".join(Figures._fields)
        checks.refuse("update_mask", "UNKNOWN_FIELD", f"names one of {known}", f"只能包含 {known}")
        checks.raise_if_any()
    given = {field.name for field, _ in request.opportunity.ListFields()}
    return masked or given & set(Figures._fields)
