"""crm.ticketing.v1.RuleBookService"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm.ticketing.v1 import rule_book_service_pb2 as rpc
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from ticketing.domain.errors import RuleBookNotFound
from ticketing.store import queries
from ticketing.usecases.change_rules import publish_rule_book, try_rule_book, update_agent
from ticketing.wiring import TicketingApp

_MOST_VERSIONS = 50
_MOST_CHANGES = 50


class RuleBookServicer:
    def __init__(self, app: TicketingApp) -> None:
        self._app = app

    def get_rule_book(self, request: rpc.GetRuleBookRequest, call: Call) -> rpc.RuleBook:
        row = queries.get_rule_book(self._app.reader, request.version)
        if row is None:
            raise RuleBookNotFound
        return _rule_book(row, row.document)

    def list_rule_books(self, request: rpc.ListRuleBooksRequest, call: Call) -> rpc.ListRuleBooksResponse:
        rows = queries.list_rule_books(self._app.reader, _MOST_VERSIONS)
        return rpc.ListRuleBooksResponse(rule_books=[_rule_book(row, "") for row in rows])

    def publish_rule_book(self, request: rpc.PublishRuleBookRequest, call: Call) -> rpc.RuleBook:
        book = publish_rule_book(call.work, request.document, request.base_version)
        row = queries.get_rule_book(call.open_work.reader, book.version)
        return _rule_book(row, row.document if row else "")

    def try_rule_book(self, request: rpc.TryRuleBookRequest, call: Call) -> rpc.TryRuleBookResponse:
        tickets, changes = try_rule_book(call.work, request.document)
        shown = [
            rpc.TriedChange(ticket_id=str(one.ticket_id), what=one.what, before=one.before, after=one.after)
            for one in changes[:_MOST_CHANGES]
        ]
        changed = len({one.ticket_id for one in changes})
        return rpc.TryRuleBookResponse(tickets=tickets, changed=changed, changes=shown)

    def list_agents(self, request: rpc.ListAgentsRequest, call: Call) -> rpc.ListAgentsResponse:
        size = page_size(request.page_size)
        team_id = parse_id(request.team_id, "team_id") if request.team_id else None
        query = ("ListAgents", call.principal.id, team_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = UUID(cursor[0]) if cursor else UUID(int=0)
        rows = queries.list_agents(self._app.reader, team_id, after, size + 1)
        page = rows[:size]
        token = self._app.page_tokens.seal(query, [str(page[-1].user_id)]) if len(rows) > size else ""
        return rpc.ListAgentsResponse(agents=[_agent(row) for row in page], next_page_token=token)

    def update_agent(self, request: rpc.UpdateAgentRequest, call: Call) -> rpc.Agent:
        told = request.agent
        user_id = parse_id(told.user_id, "agent.user_id")
        update_agent(call.work, user_id, told.capacity if told.HasField("capacity") else None, told.away)
        return _agent(queries.get_agent(call.open_work.reader, user_id))


def _rule_book(row: Any, document: str) -> rpc.RuleBook:
    return rpc.RuleBook(
        version=row.version, document=document, publish_time=row.published_at, publisher_id=row.actor_id
    )


def _agent(row: Any) -> rpc.Agent:
    return rpc.Agent(
        user_id=str(row.user_id),
        team_id=str(row.team_id or ""),
        capacity=row.capacity,
        away=row.away,
        load=row.load,
    )
