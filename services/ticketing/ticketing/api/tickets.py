"""crm.ticketing.v1.TicketService: a command is translated for its use case, a read is query and message."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from crm.ticketing.v1 import ticket_pb2 as pb
from crm.ticketing.v1 import ticket_service_pb2 as rpc
from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.sql.engine import Reader
from kernel.sql.subjects import SubjectRestricted
from ticketing import metrics
from ticketing.api import translate
from ticketing.domain.clocks import elapsed, segments
from ticketing.domain.errors import TicketNotFound
from ticketing.domain.rulebook import RuleBook
from ticketing.store import queries
from ticketing.store.rows import clock_of, pauses_of, rule_book_of
from ticketing.usecases.change_ticket import (
    assign_ticket,
    classify_ticket,
    close_ticket,
    identify_ticket,
    reopen_ticket,
    resolve_ticket,
    reveal_requester,
)
from ticketing.usecases.create_ticket import NewTicket, create_ticket
from ticketing.usecases.talk import Contribution, add_message
from ticketing.wiring import TicketingApp

_EARLIEST = (datetime(1, 1, 2, tzinfo=UTC), UUID(int=0))
_MOST_SEGMENTS = 100


class TicketServicer:
    def __init__(self, app: TicketingApp) -> None:
        self._app = app

    def create_ticket(self, request: rpc.CreateTicketRequest, call: Call) -> pb.Ticket:
        told = request.ticket
        heard = create_ticket(
            call.work,
            NewTicket(
                channel=told.channel,
                subject=told.subject,
                content=request.content,
                customer_id=parse_id(told.customer_id, "ticket.customer_id") if told.customer_id else None,
                requester_name=told.requester_name,
                requester_email=told.requester_email,
                kind=translate.kind(told.kind),
                topic=told.topic,
                priority=translate.priority(told.priority),
                separate=request.separate,
            ),
        )
        if heard.joined:
            metrics.consultations_linked.labels(heard.ticket.channel).inc()
        else:
            metrics.tickets_opened.labels(heard.ticket.channel, heard.ticket.kind).inc()
        return self._written(heard.ticket.id, call)

    def get_ticket(self, request: rpc.GetTicketRequest, call: Call) -> pb.Ticket:
        return self._shown([self._seen(request.id, call)])[0]

    def list_tickets(self, request: rpc.ListTicketsRequest, call: Call) -> rpc.ListTicketsResponse:
        size = page_size(request.page_size)
        customer_id = parse_id(request.customer_id, "customer_id") if request.customer_id else None
        order_by = " ".join(request.order_by.split()) or queries.NEWEST
        query = ("ListTickets", call.principal.id, customer_id, request.filter, order_by)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_tickets(
            self._app.reader, call.principal, request.filter, order_by, customer_id, after, size + 1
        )
        page = rows[:size]
        call.viewed("ticket", [row.id for row in page])
        response = rpc.ListTicketsResponse(tickets=self._shown(page))
        if len(rows) > size:
            at = page[-1].opened_at if order_by == queries.NEWEST else page[-1].next_due_at
            response.next_page_token = self._app.page_tokens.seal(query, [at.isoformat(), str(page[-1].id)])
        return response

    def add_message(self, request: rpc.AddMessageRequest, call: Call) -> rpc.AddMessageResponse:
        contribution = Contribution(
            direction=_direction(request.message.direction),
            content=request.message.content,
            channel=request.message.channel,
            awaits_reply=request.awaits_reply,
            states_plan=request.states_plan,
        )
        added, ticket = add_message(call.work, parse_id(request.id, "id"), contribution)
        return rpc.AddMessageResponse(
            message=translate.message(added, added.content), ticket=self._written(ticket.id, call)
        )

    def list_messages(self, request: rpc.ListMessagesRequest, call: Call) -> rpc.ListMessagesResponse:
        size = page_size(request.page_size)
        query = ("ListMessages", call.principal.id, parse_id(request.id, "id"))
        cursor = self._app.page_tokens.open(query, request.page_token)
        row = self._seen(request.id, call)
        after = (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else _EARLIEST
        rows = queries.list_messages(self._app.reader, call.principal, row.id, after, size + 1)
        page = rows[:size]
        opened = queries.open_words(self._app.sealer, queries.MESSAGES_SEALED_IN, page)
        messages = [
            translate.message(one, str(words.get("content", "")), one.clear)
            for one, words in zip(page, opened, strict=True)
        ]
        last = [page[-1].created_at.isoformat(), str(page[-1].id)] if len(rows) > size else None
        token = self._app.page_tokens.seal(query, last) if last else ""
        return rpc.ListMessagesResponse(messages=messages, next_page_token=token)

    def assign_ticket(self, request: rpc.AssignTicketRequest, call: Call) -> pb.Ticket:
        team_id = parse_id(request.team_id, "team_id") if request.team_id else None
        assignee_id = parse_id(request.assignee_id, "assignee_id") if request.assignee_id else None
        changed = assign_ticket(call.work, parse_id(request.id, "id"), request.etag, team_id, assignee_id)
        return self._written(changed.id, call)

    def identify_ticket(self, request: rpc.IdentifyTicketRequest, call: Call) -> pb.Ticket:
        customer_id = parse_id(request.customer_id, "customer_id")
        changed = identify_ticket(call.work, parse_id(request.id, "id"), request.etag, customer_id)
        return self._written(changed.id, call)

    def classify_ticket(self, request: rpc.ClassifyTicketRequest, call: Call) -> pb.Ticket:
        changed = classify_ticket(
            call.work,
            parse_id(request.id, "id"),
            request.etag,
            kind=translate.kind(request.kind),
            topic=request.topic,
            priority=translate.priority(request.priority),
        )
        return self._written(changed.id, call)

    def resolve_ticket(self, request: rpc.ResolveTicketRequest, call: Call) -> pb.Ticket:
        changed = resolve_ticket(call.work, parse_id(request.id, "id"), request.etag, request.solution)
        return self._written(changed.id, call)

    def close_ticket(self, request: rpc.CloseTicketRequest, call: Call) -> pb.Ticket:
        changed = close_ticket(call.work, parse_id(request.id, "id"), request.etag)
        return self._written(changed.id, call)

    def reopen_ticket(self, request: rpc.ReopenTicketRequest, call: Call) -> pb.Ticket:
        changed = reopen_ticket(call.work, parse_id(request.id, "id"), request.etag)
        return self._written(changed.id, call)

    def reveal_requester(
        self, request: rpc.RevealRequesterRequest, call: Call
    ) -> rpc.RevealRequesterResponse:
        name, email = reveal_requester(call.work, parse_id(request.id, "id"), request.reason)
        return rpc.RevealRequesterResponse(requester_name=name, requester_email=email)

    def explain_clocks(self, request: rpc.ExplainClocksRequest, call: Call) -> rpc.ExplainClocksResponse:
        row = self._seen(request.id, call)
        book, now, zone = self._rule_book(), self._app.clock.now(), self._app.clock.zone
        explained = []
        for told in map(clock_of, queries.list_clocks(self._app.reader, row.id)):
            rests = pauses_of(row, now) if told.pausing else []
            hours, end = book.hours(told.hours, zone), told.met_at or now
            counted = elapsed(hours, told.started_at, end, [rest for rest, _ in rests])
            found = segments(hours, told.started_at, end, rests)
            explained.append(
                translate.clock(told, int(counted.total_seconds()), list(islice(found, _MOST_SEGMENTS)))
            )
        return rpc.ExplainClocksResponse(clocks=explained)

    def explain_routing(self, request: rpc.ExplainRoutingRequest, call: Call) -> rpc.ExplainRoutingResponse:
        row = self._seen(request.id, call)
        decisions = queries.list_decisions(self._app.reader, row.id)
        return rpc.ExplainRoutingResponse(decisions=[translate.decision(one) for one in decisions])

    def _seen(self, text: str, call: Call) -> Any:
        """The row of a ticket that the caller is shown something of.

        Raises TicketNotFound or SubjectRestricted.
        """
        row = queries.get_ticket(self._app.reader, call.principal, parse_id(text, "id"))
        if row is None:
            raise TicketNotFound
        if row.resting:
            raise SubjectRestricted
        call.viewed("ticket", [row.id])
        return row

    def _written(self, ticket_id: UUID, call: Call) -> pb.Ticket:
        reader: Reader = call.open_work.reader
        return self._shown([queries.just_written(reader, call.principal, ticket_id)], reader)[0]

    def _shown(self, rows: list[Any], reader: Reader | None = None) -> list[pb.Ticket]:
        opened = queries.open_words(self._app.sealer, queries.TICKETS_SEALED_IN, rows)
        asked = queries.surveys_of(reader or self._app.reader, [row.id for row in rows])
        comments = queries.open_words(self._app.sealer, queries.SURVEYS_SEALED_IN, asked)
        surveys = {
            survey.ticket_id: (survey, comment) for survey, comment in zip(asked, comments, strict=True)
        }
        return [
            translate.ticket(row, words, surveys.get(row.id)) for row, words in zip(rows, opened, strict=True)
        ]

    def _rule_book(self) -> RuleBook:
        row = queries.get_rule_book(self._app.reader, 0)
        if row is None:
            raise RuntimeError("the first rule book comes with the schema")
        return rule_book_of(row.version, row.document)


def _direction(number: int) -> str:
    direction = translate.direction(number)
    if not direction:
        raise Invalid.of(
            Violation("message.direction", "REQUIRED", "must say to whom it is said", "必须说明消息方向")
        )
    return direction
