"""TimelineService: what happened with a customer, and who is related to whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import timeline_service_pb2 as rpc
from customer.api.translate import money
from customer.domain.interaction import KINDS, Interaction, InteractionDraft
from customer.domain.relation import RelationDraft
from customer.store import queries, timeline
from customer.usecases.record_interaction import record_interaction
from customer.usecases.relate_customers import relate_customers, separate_customers
from customer.wiring import CustomerApp
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.rpc.masking import masked
from kernel.rpc.reading import instant

_KINDS = {kind: f"INTERACTION_KIND_{kind.upper()}" for kind in KINDS}
_KIND_NAMES = {rpc.InteractionKind.Value(name): kind for kind, name in _KINDS.items()}


class TimelineServicer:
    def __init__(self, app: CustomerApp) -> None:
        self._app = app

    def record_interaction(self, request: rpc.RecordInteractionRequest, call: Call) -> rpc.Interaction:
        customer_id = parse_id(request.customer_id, "customer_id")
        return _recorded(record_interaction(call.work, customer_id, _draft(request.interaction)))

    def list_timeline(self, request: rpc.ListTimelineRequest, call: Call) -> rpc.ListTimelineResponse:
        customer_id = parse_id(request.customer_id, "customer_id")
        query = ("ListTimeline", call.principal.id, customer_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        size = page_size(request.page_size)
        page = timeline.list_timeline(
            self._app.reader, call.principal, customer_id, cursor, size, self._app.clock.zone
        )
        if page is None:
            raise queries.refusal(self._app.reader, call.principal, queries.READ, customer_id)
        call.viewed("customer", [page.customer_id])
        contents = timeline.open_contents(self._app.sealer, page.rows)
        return rpc.ListTimelineResponse(
            entries=[
                self._entry(row, content, page.clear)
                for row, content in zip(page.rows, contents, strict=True)
            ],
            next_page_token=self._app.page_tokens.seal(query, page.following) if page.following else "",
        )

    def create_relation(self, request: rpc.CreateRelationRequest, call: Call) -> rpc.Relation:
        told = request.relation
        draft = RelationDraft(
            kind=told.kind,
            from_id=parse_id(told.from_id, "relation.from_id"),
            to_id=parse_id(told.to_id, "relation.to_id"),
            role=told.role,
            primary=told.primary,
        )
        return _relation(relate_customers(call.work, draft))

    def list_relations(self, request: rpc.ListRelationsRequest, call: Call) -> rpc.ListRelationsResponse:
        customer_id = parse_id(request.customer_id, "customer_id")
        rows = timeline.list_relations(self._app.reader, call.principal, customer_id)
        if rows is None:
            raise queries.refusal(self._app.reader, call.principal, queries.READ, customer_id)
        return rpc.ListRelationsResponse(relations=[_relation(row) for row in rows])

    def delete_relation(self, request: rpc.DeleteRelationRequest, call: Call) -> rpc.DeleteRelationResponse:
        separate_customers(call.work, parse_id(request.id, "id"))
        return rpc.DeleteRelationResponse()

    def _entry(self, row: Any, content: str, clear: bool) -> rpc.TimelineEntry:
        entry = rpc.TimelineEntry(occur_time=row.at, customer_id=str(row.customer_id))
        facts, what = row.facts, timeline.what(row)
        if what == "interaction":
            entry.interaction.MergeFrom(_interaction(row, content, clear))
        elif what == "order":
            amount = money(Decimal(facts["base_amount"]), self._app.settings.base_currency)
            entry.order.MergeFrom(pb.OrderFact(**{**facts, "base_amount": amount}))
        elif what == "class_change":
            entry.class_change.MergeFrom(rpc.ClassChange(**facts))
        elif what == "ticket":
            entry.ticket.MergeFrom(_ticket(facts))
        else:
            entry.merge.MergeFrom(rpc.MergeFact(**facts))
        return entry


def _draft(told: rpc.Interaction) -> InteractionDraft:
    return InteractionDraft(
        kind=_KIND_NAMES.get(told.kind, ""),
        channel=told.channel,
        content=told.content,
        occurred_at=instant(told, "occur_time", "interaction.occur_time"),
    )


def _recorded(interaction: Interaction) -> rpc.Interaction:
    return rpc.Interaction(
        id=str(interaction.id),
        customer_id=str(interaction.customer_id),
        kind=_KINDS[interaction.kind],
        channel=interaction.channel,
        content=interaction.content,
        occur_time=interaction.occurred_at,
        actor_id=interaction.actor_id,
    )


def _interaction(row: Any, content: str, clear: bool) -> rpc.Interaction:
    facts = row.facts
    values = {
        **facts,
        "kind": _KINDS[facts["kind"]],
        "customer_id": str(row.customer_id),
        "content": content,
        "occur_time": row.at,
    }
    if not clear:
        values, _ = masked(rpc.Interaction, values)
    return rpc.Interaction(**values)


def _ticket(facts: Mapping[str, Any]) -> rpc.TicketFact:
    instants = {
        name: datetime.fromisoformat(facts[name]) for name in ("answer_time", "close_time") if facts[name]
    }
    return rpc.TicketFact(**{**facts, "answer_time": None, "close_time": None, **instants})


def _relation(told: Any) -> rpc.Relation:
    """A relation of the domain or a row of store.timeline."""
    return rpc.Relation(
        id=str(told.id),
        kind=told.kind,
        from_id=str(told.from_id),
        to_id=str(told.to_id),
        role=told.role,
        primary=told.primary,
    )
