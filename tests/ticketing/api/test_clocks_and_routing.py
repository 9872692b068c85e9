"""Response clocks remind and run out; rules send tickets to teams and agents, and say why."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from kernel.pure.clock import FixedClock
from kernel.pure.grants import Scope
from tests.contracts.examples import promised, same_shape
from tests.ticketing.conftest import NOON
from tests.ticketing.world import SERVICE, Desk, caller, fire, jobs, person, publish, team, told
from ticketing.domain.errors import UnknownAgent
from ticketing.usecases.change_ticket import give_out
from ticketing.usecases.ports import GIVE_OUT
from ticketing.wiring import TicketingApp

HOUR = timedelta(hours=1)


def test_a_clock_reminds_before_it_is_due_and_breaches_once_when_it_is(
    app: TicketingApp, clock: FixedClock
) -> None:
    desk = Desk(app)
    opened = desk.open("很急，停机了")
    assert (opened.next_clock, opened.next_due_time.ToDatetime(UTC)) == ("urgent_answer", NOON + HOUR)
    clock.instant = NOON + HOUR * 3 / 4
    fire(app)
    [due] = told(app, "ResponseClockDue")
    assert (due["ticketId"], due["clock"]) == (opened.id, "urgent_answer")
    assert told(app, "ResponseClockBreached") == []
    for minutes in (60, 61, 120):
        clock.instant = NOON + timedelta(minutes=minutes)
        fire(app)
    [breached] = told(app, "ResponseClockBreached")
    assert breached["dueAt"] == (NOON + HOUR).isoformat()
    assert list(desk.get(opened.id).breached_clocks) == ["urgent_answer"]
    assert [one.id for one in desk.read("list_tickets", filter="breached").tickets] == [opened.id]
    for event in ("ResponseClockDue", "ResponseClockBreached"):
        body = app.reader.rows(
            "select body::jsonb as body from outbox where type = %(type)s",
            {"type": f"crm.ticketing.v1.{event}"},
        )[0].body
        for promise in promised(f"crm.ticketing.v1.{event}"):
            same_shape(body, promise)


def test_a_clock_that_was_met_neither_reminds_nor_breaches(app: TicketingApp, clock: FixedClock) -> None:
    desk = Desk(app)
    opened = desk.open("很急，停机了")
    desk.tell(opened.id)
    clock.instant = NOON + 2 * HOUR
    fire(app)
    assert told(app, "ResponseClockDue") + told(app, "ResponseClockBreached") == []
    assert desk.clocks(opened.id)["urgent_answer"].state == "met"


def test_a_clock_explains_what_it_counted_and_what_it_left_out(app: TicketingApp, clock: FixedClock) -> None:
    desk = Desk(app)
    opened = desk.open("我要投诉")
    clock.instant = NOON + HOUR
    desk.tell(opened.id, awaits_reply=True)
    clock.instant = NOON + 3 * HOUR
    told_clock = desk.clocks(opened.id)["complaint_solve"]
    assert (told_clock.state, told_clock.counted_seconds, told_clock.allowed_minutes) == (
        "paused",
        3600,
        2880,
    )
    assert not told_clock.HasField("due_time")
    assert [(segment.what, segment.end_time.ToDatetime(UTC)) for segment in told_clock.segments] == [
        ("counted", NOON + HOUR),
        ("waiting", NOON + 3 * HOUR),
    ]


def test_business_hours_are_left_out_of_the_clock_of_a_valuable_customer(
    app: TicketingApp, clock: FixedClock
) -> None:
    clock.instant = NOON + 5 * HOUR  # 17:00 in Shanghai, a Tuesday
    desk = Desk(app)
    opened = desk.open(customer_id=str(person(app, spend_tier="core")))
    clock.instant = NOON + 22 * HOUR
    told_clock = desk.clocks(opened.id)["valuable_answer"]
    assert told_clock.counted_seconds == 2 * 3600
    assert [segment.what for segment in told_clock.segments] == ["counted", "closed_hours", "counted"]
    assert told_clock.due_time.ToDatetime(UTC) == NOON + 24 * HOUR


def test_high_value_customers_go_to_a_team_of_their_own_and_the_reason_is_kept(app: TicketingApp) -> None:
    vip, [one, two] = team(app, 2)
    general, _ = team(app, 1)
    publish(
        app,
        routing=[
            {"name": "vip", "when": 'tier == "core"', "then": str(vip)},
            {"name": "others", "when": "", "then": str(general)},
        ],
    )
    desk = Desk(app)
    core = [desk.open(customer_id=str(person(app, spend_tier="core"))) for _ in range(2)]
    basic = desk.open(customer_id=str(person(app, spend_tier="basic")))
    assert [ticket.team_id for ticket in (*core, basic)] == [str(vip), str(vip), str(general)]
    assert [ticket.assignee_id for ticket in core] == [str(one), str(two)]
    [decided] = desk.decisions(core[0].id, "team")
    assert (decided.rule, decided.reason, decided.rule_version) == ("vip", "RULE", 2)
    assert decided.facts["tier"] == "core"
    [given] = desk.decisions(core[1].id, "assignee")
    assert (given.reason, given.outcome, given.facts["load"]) == ("LEAST_LOADED", str(two), "0")


def test_nobody_gets_more_than_their_capacity_and_the_most_urgent_goes_first(
    app: TicketingApp, clock: FixedClock
) -> None:
    team_id, [agent] = team(app, 1)
    publish(app, routing=[{"name": "all", "when": "", "then": str(team_id)}], capacity=1)
    desk = Desk(app)
    first, normal, urgent = (desk.open(text, separate=True) for text in ("你好", "您好", "很急"))
    assert [ticket.assignee_id for ticket in (first, normal, urgent)] == [str(agent), "", ""]
    assert desk.decisions(urgent.id, "assignee")[0].reason == "ALL_AT_CAPACITY"
    desk.command("resolve_ticket", id=first.id, solution="好了")
    assert jobs(app, GIVE_OUT) == [{"team_id": str(team_id)}]
    with app.work(SERVICE) as work:
        assert give_out(work, team_id) == 1
    assert (desk.get(urgent.id).assignee_id, desk.get(normal.id).assignee_id) == (str(agent), "")


def test_an_agent_and_their_team_see_the_tickets_they_have_in_hand(app: TicketingApp) -> None:
    team_id, [one, two] = team(app, 2)
    desk = Desk(app)
    opened = desk.open()
    assigned = desk.command("assign_ticket", id=opened.id, assignee_id=str(one))
    assert (assigned.assignee_id, assigned.team_id) == (str(one), str(team_id))
    assert Desk(app, caller(Scope.OWN, user_id=one)).get(opened.id).id == opened.id
    assert Desk(app, caller(Scope.TEAM, user_id=two)).get(opened.id).id == opened.id
    assert list(Desk(app, caller(Scope.OWN, user_id=two)).read("list_tickets").tickets) == []
    back = desk.command("assign_ticket", id=opened.id, team_id=str(team_id))
    assert back.assignee_id in (str(one), str(two))


def test_a_ticket_is_given_to_members_of_staff_only(app: TicketingApp) -> None:
    desk = Desk(app)
    opened = desk.open()
    _, [agent] = team(app, 1)
    other, _ = team(app, 1)
    with pytest.raises(UnknownAgent):
        desk.command("assign_ticket", id=opened.id, assignee_id=opened.id)
    with pytest.raises(UnknownAgent):
        desk.command("assign_ticket", id=opened.id, assignee_id=str(agent), team_id=str(other))
    assert desk.get(opened.id).assignee_id == ""
