"""Rule books are tried and published, agents told what they may have in hand, by people (T-09, T-10)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm.ticketing.v1 import rule_book_service_pb2 as rpc
from crm.ticketing.v1 import ticket_pb2 as pb
from kernel.jobs.job import Running
from kernel.pure.errors import Invalid, StaleEtag
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.ticketing.world import Desk, caller, jobs, person, team
from ticketing.api.rule_books import RuleBookServicer
from ticketing.domain.errors import RuleBookNotFound, UnknownAgent
from ticketing.domain.first_rule_book import FIRST
from ticketing.jobs import give_out_tickets
from ticketing.usecases.ports import GIVE_OUT
from ticketing.wiring import TicketingApp

MANAGER = caller()


def ask(app: TicketingApp, request: Any) -> Any:
    """The method of the request, as a manager calls it."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(request).__name__).lstrip("_")
    with app.work(MANAGER) as work:
        call = Call(MANAGER, "zh", "", lambda *_: None, work=work)
        return getattr(RuleBookServicer(app), name.removesuffix("_request"))(request, call)


def document(**sections: Any) -> str:
    return json.dumps({**FIRST, **sections})


def publish(app: TicketingApp, base_version: int = 0, **sections: Any) -> rpc.RuleBook:
    request = rpc.PublishRuleBookRequest(document=document(**sections), base_version=base_version)
    published: rpc.RuleBook = ask(app, request)
    return published


def core_to(team_id: object) -> list[dict[str, str]]:
    return [{"name": "core_customers", "when": 'tier == "core"', "then": str(team_id)}]


def test_a_published_rule_book_is_in_force_and_its_routing_sends_core_customers_to_their_team(
    app: TicketingApp,
) -> None:
    vip, [agent] = team(app, 1)
    published = publish(app, base_version=1, routing=core_to(vip))
    assert (published.version, published.publisher_id) == (2, MANAGER.id)
    desk = Desk(app)
    core = desk.open(customer_id=str(person(app, spend_tier="core")))
    assert (core.team_id, core.assignee_id) == (str(vip), str(agent))
    assert desk.open(customer_id=str(person(app, spend_tier="basic"))).team_id == ""
    held = ask(app, rpc.GetRuleBookRequest()).document
    assert json.loads(held)["routing"] == core_to(vip)
    assert ask(app, rpc.GetRuleBookRequest(version=1)).publisher_id == ""
    versions = ask(app, rpc.ListRuleBooksRequest()).rule_books
    assert [(one.version, one.document) for one in versions] == [(2, ""), (1, "")]
    with pytest.raises(RuleBookNotFound):
        ask(app, rpc.GetRuleBookRequest(version=3))


def test_whoever_publishes_on_top_of_an_older_version_is_refused(app: TicketingApp) -> None:
    publish(app, base_version=1)
    with pytest.raises(StaleEtag):
        publish(app, base_version=1)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "document"),
        ("[]", "document"),
        ("[" * 100_000, "document"),
        (" " * 200_001, "document"),
        ('{"hours": 5}', "document.hours"),
        ('{"clocks": [5]}', "document.clocks"),
        ('{"kinds": [{"name": ["x"]}]}', "document.kinds"),
        ('{"word_lists": [{"name": "x", "words": "x"}]}', "document.word_lists"),
        ('{"routes": []}', "document.routes"),
        ('{"hours": {"opens": "09:00+08:00"}}', "document.hours.opens"),
        ('{"capacity": 0}', "document.capacity"),
        (document(routing=core_to(new_id())), "document.routing.core_customers"),
        (document(routing=[{"name": "x", "when": "no_such == 1", "then": str(new_id())}]), ""),
    ],
)
def test_a_document_that_is_no_rule_book_is_refused_with_the_place(
    app: TicketingApp, text: str, field: str
) -> None:
    for request in (rpc.PublishRuleBookRequest(document=text), rpc.TryRuleBookRequest(document=text)):
        with pytest.raises(Invalid) as refused:
            ask(app, request)
        assert not field or field in [violation.field for violation in refused.value.violations]


def test_a_rule_book_is_tried_on_tickets_and_changes_nothing(app: TicketingApp) -> None:
    vip, _ = team(app, 1)
    desk = Desk(app)
    core = desk.open(customer_id=str(person(app, spend_tier="core")))
    by_hand = desk.open(customer_id=str(person(app, spend_tier="core")))
    desk.command("classify_ticket", id=by_hand.id, priority="PRIORITY_LOW")
    desk.open()
    priorities = [{"name": "core_is_urgent", "when": 'tier == "core"', "then": "urgent"}]
    text = document(routing=core_to(vip), priorities=priorities)
    tried = ask(app, rpc.TryRuleBookRequest(document=text))
    assert (tried.tickets, tried.changed) == (3, 2)
    changes = {(one.ticket_id, one.what, one.before, one.after) for one in tried.changes}
    assert changes == {
        (core.id, "priority", "high", "urgent"),
        (core.id, "team", "", str(vip)),
        (by_hand.id, "team", "", str(vip)),
    }
    shown = desk.get(core.id)
    assert (shown.priority, shown.team_id, shown.etag) == (pb.PRIORITY_HIGH, "", core.etag)
    assert len(ask(app, rpc.ListRuleBooksRequest()).rule_books) == 1


def test_an_agent_who_is_away_is_given_nothing_until_they_are_back(app: TicketingApp) -> None:
    vip, [agent] = team(app, 1)
    publish(app, routing=core_to(vip))
    told = ask(app, rpc.UpdateAgentRequest(agent=rpc.Agent(user_id=str(agent), away=True)))
    assert (told.team_id, told.away, told.HasField("capacity")) == (str(vip), True, False)
    desk = Desk(app)
    ticket = desk.open(customer_id=str(person(app, spend_tier="core")))
    assert (ticket.team_id, ticket.assignee_id) == (str(vip), "")
    ask(app, rpc.UpdateAgentRequest(agent=rpc.Agent(user_id=str(agent), capacity=1)))
    for arguments in jobs(app, GIVE_OUT):
        give_out_tickets.JOB.run(Running(app, 1, lambda: False), **arguments)
    assert desk.get(ticket.id).assignee_id == str(agent)
    [shown] = ask(app, rpc.ListAgentsRequest(team_id=str(vip))).agents
    assert (shown.user_id, shown.capacity, shown.load, shown.away) == (str(agent), 1, 1, False)


def test_agents_are_listed_by_page(app: TicketingApp) -> None:
    vip, agents = team(app, 3)
    first = ask(app, rpc.ListAgentsRequest(team_id=str(vip), page_size=2))
    token = first.next_page_token
    rest = ask(app, rpc.ListAgentsRequest(team_id=str(vip), page_size=2, page_token=token))
    assert [one.user_id for one in (*first.agents, *rest.agents)] == [str(one) for one in agents]
    assert rest.next_page_token == ""


def test_nobody_is_an_agent_who_is_no_member_of_staff(app: TicketingApp) -> None:
    with pytest.raises(UnknownAgent):
        ask(app, rpc.UpdateAgentRequest(agent=rpc.Agent(user_id=str(new_id()))))
    with pytest.raises(Invalid):
        ask(app, rpc.UpdateAgentRequest(agent=rpc.Agent(user_id=str(new_id()), capacity=1001)))
