"""Leads are given, claimed, taken back and followed up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.jobs.job import Running
from kernel.pure.errors import CrmError, Invalid
from kernel.pure.grants import Principal, Scope
from sales.domain.errors import ClaimLimitReached, LeadIsClosed, LeadNotFound, LeadTaken
from sales.domain.follow_up import FollowUp
from sales.domain.scoring import Fact
from sales.jobs.leads import rescore
from sales.usecases import sell
from sales.usecases.follow_up_leads import close_lead, record_follow_up
from sales.usecases.hand_out_leads import assign_lead, claim_lead
from sales.usecases.score_leads import activate_rules, record_facts
from tests.sales.conftest import NOON
from tests.sales.leads.conftest import SERVICE, Desk, user

HOUR = timedelta(hours=1)
# 10 + 20 + 25 + 20 + 10 for the industry: 85.
HOT = ("opened_mail", "viewed_contract_template", "joined_demo", "budget")


def limit_claims(desk: Desk, a_day: int) -> None:
    with desk.app.work(SERVICE) as work:
        rules = work.rules.add(replace(work.rules.in_force(), claims_a_day=a_day))
        work.rules.activate(rules.version)


def heat(desk: Desk, lead_id: UUID) -> int:
    facts = [Fact(kind, kind, 60_000 if kind == "budget" else 1, desk.clock.instant) for kind in HOT]
    with desk.app.work(SERVICE) as work:
        return record_facts(work, lead_id, facts).score


def follow_up(desk: Desk, lead_id: UUID, who: Principal = SERVICE, remind_at: datetime | None = None) -> Any:
    told = FollowUp("phone", "谈了需求", "有兴趣", "发送报价", desk.clock.instant, remind_at)
    with desk.app.work(who) as work:
        return record_follow_up(work, lead_id, told)


def threshold(desk: Desk, value: int) -> None:
    """Rules by which a lead is hot at `value` are in force, and every lead was scored by them."""
    with desk.app.work(SERVICE) as work:
        rules = work.rules.add(replace(work.rules.in_force(), threshold=value))
        activate_rules(work, rules.version)
    rescore(Running(desk.app, 1, lambda: False))


def reminders(desk: Desk) -> list[tuple[str, datetime, bool]]:
    rows = desk.app.reader.rows("select kind, due_at, raised_at from reminders order by due_at")
    return [(row.kind, row.due_at, row.raised_at is not None) for row in rows]


def test_a_lead_goes_to_the_seller_of_its_region_and_says_why(desk: Desk) -> None:
    desk.hire(provinces=("北京市",))
    [owner] = desk.hire(provinces=("上海市",), industries=("零售",))
    lead = desk.take()
    assert (lead.owner_id, desk.people.owners) == (owner, [owner])
    [row] = desk.app.reader.rows("select owner_id, matched, candidates, passed_over from lead_assignments")
    assert (row.owner_id, row.matched, row.candidates) == (owner, ["province", "industry"], 1)
    assert list(row.passed_over.values()) == ["province"]


def test_leads_go_round_among_equals(desk: Desk) -> None:
    sellers = desk.hire(3)
    got = []
    for minute in range(6):
        desk.clock.instant = NOON + timedelta(minutes=minute)
        got.append(desk.take().owner_id)
    assert sorted(got[:3], key=str) == sorted(got[3:], key=str) == sorted(sellers, key=str)


def test_of_all_who_claim_one_gets_the_lead(desk: Desk) -> None:
    lead = desk.take()
    assert lead.owner_id is None
    outcomes: list[str] = []

    def claim(who: Principal) -> None:
        try:
            with desk.app.work(who) as work:
                claim_lead(work, lead.id)
            outcomes.append(who.id)
        except CrmError as error:
            outcomes.append(error.reason)

    callers = [user() for _ in range(5)]
    threads = [threading.Thread(target=claim, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("LEAD_TAKEN") == 4
    [winner] = [outcome for outcome in outcomes if outcome != "LEAD_TAKEN"]
    assert str(desk.row(lead.id).owner_id) == winner


def test_claims_of_one_user_at_the_same_instant_stay_within_the_limit(desk: Desk) -> None:
    limit_claims(desk, 2)
    leads, me = [desk.take() for _ in range(6)], user()
    start, outcomes = threading.Barrier(len(leads)), list[str]()

    def claim(lead_id: UUID) -> None:
        start.wait()
        try:
            with desk.app.work(me) as work:
                claim_lead(work, lead_id)
            outcomes.append("")
        except CrmError as error:
            outcomes.append(error.reason)

    threads = [threading.Thread(target=claim, args=(lead.id,)) for lead in leads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["", "", *["CLAIM_LIMIT_REACHED"] * 4]


def test_a_seller_sees_and_claims_the_pool_of_their_provinces_only(desk: Desk) -> None:
    [seller] = desk.hire(provinces=("北京市",), capacity=0)
    lead = desk.take()
    with pytest.raises(LeadNotFound), desk.app.work(user(user_id=seller)) as work:
        claim_lead(work, lead.id)


def test_claims_a_day_are_limited_and_start_anew_the_next(desk: Desk) -> None:
    limit_claims(desk, 1)
    leads, me = [desk.take() for _ in range(3)], user()

    def claim(index: int) -> None:
        with desk.app.work(me) as work:
            claim_lead(work, leads[index].id)

    claim(0)
    with pytest.raises(ClaimLimitReached):
        claim(1)
    desk.clock.instant = NOON + timedelta(days=1)
    claim(1)
    with pytest.raises(LeadTaken), desk.app.work(user()) as work:
        claim_lead(work, leads[1].id)


def test_a_hot_lead_not_followed_up_for_48_hours_goes_to_somebody_else(desk: Desk) -> None:
    first, second = desk.hire(2)
    lead = desk.take()
    assert lead.owner_id is not None
    assert heat(desk, lead.id) == 85
    desk.pass_to(NOON + 48 * HOUR - timedelta(seconds=1))
    assert desk.row(lead.id).owner_id == lead.owner_id
    desk.pass_to(NOON + 48 * HOUR)
    assert {lead.owner_id, desk.row(lead.id).owner_id} == {first, second}
    assert desk.ways(lead.id) == ["rules", "returned", "rules"]
    # The next one has 48 hours too; with nobody left it lies in the pool.
    desk.pass_to(NOON + 96 * HOUR)
    assert desk.row(lead.id).owner_id is None
    assert desk.ways(lead.id)[3:] == ["returned", "rules"]


def test_a_followed_up_lead_has_its_time_anew(desk: Desk) -> None:
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    for hour in (40, 80):
        desk.pass_to(NOON + hour * HOUR)
        follow_up(desk, lead.id)
    desk.pass_to(NOON + 128 * HOUR - timedelta(seconds=1))
    assert desk.row(lead.id).owner_id == lead.owner_id
    assert desk.row(lead.id).status == "qualified"
    desk.pass_to(NOON + 128 * HOUR)
    assert desk.ways(lead.id) == ["rules", "returned", "rules"]


def test_work_on_the_opportunity_is_work_on_its_lead(desk: Desk) -> None:
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    opportunity_id = desk.row(lead.id).opportunity_id
    desk.pass_to(NOON + 40 * HOUR)
    with desk.app.work(SERVICE) as work:
        sell.move_stage(work, opportunity_id, "need_confirmed")
    desk.pass_to(NOON + 87 * HOUR)
    assert desk.row(lead.id).owner_id == lead.owner_id
    desk.pass_to(NOON + 88 * HOUR)
    assert desk.row(lead.id).owner_id != lead.owner_id


def test_the_clock_of_a_lead_starts_whenever_it_becomes_hot(desk: Desk) -> None:
    """Facts age: a lead may be hot, cold and hot again, and is followed up while it is cold perhaps."""
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    threshold(desk, 90)
    assert desk.row(lead.id).score == 85
    desk.pass_to(NOON + 60 * HOUR)
    follow_up(desk, lead.id)
    assert (desk.row(lead.id).owner_id, desk.ways(lead.id)) == (lead.owner_id, ["rules"])
    threshold(desk, 80)
    desk.pass_to(NOON + 108 * HOUR - timedelta(seconds=1))
    assert desk.row(lead.id).owner_id == lead.owner_id
    desk.pass_to(NOON + 108 * HOUR)
    assert desk.ways(lead.id) == ["rules", "returned", "rules"]


def test_a_lead_below_the_threshold_stays(desk: Desk) -> None:
    desk.hire(2)
    lead = desk.take()
    desk.pass_to(NOON + 100 * HOUR)
    assert desk.row(lead.id).owner_id == lead.owner_id


def test_first_and_second_follow_up_are_reminded_of(desk: Desk) -> None:
    desk.hire()
    lead = desk.take()
    first, second = NOON + 24 * HOUR, NOON + 72 * HOUR
    assert reminders(desk) == [("first", first, False), ("second", second, False)]
    desk.pass_to(first)
    assert reminders(desk) == [("first", first, True), ("second", second, False)]
    follow_up(desk, lead.id)
    assert reminders(desk) == [("second", second, False)]


def test_the_next_reminder_is_when_the_seller_says(desk: Desk) -> None:
    desk.hire()
    lead = desk.take()
    when = NOON + 200 * HOUR
    follow_up(desk, lead.id, remind_at=when)
    assert reminders(desk) == [("next", when, False)]
    assert desk.row(lead.id).status == "working"
    with pytest.raises(Invalid):
        follow_up(desk, lead.id, remind_at=NOON)


def test_nobody_is_reminded_of_a_closed_lead(desk: Desk) -> None:
    desk.hire()
    lead = desk.take()
    heat(desk, lead.id)
    with desk.app.work(SERVICE) as work:
        close_lead(work, lead.id, "no_need")
    assert reminders(desk) == []
    assert desk.app.reader.rows("select 1 from timers") == []
    with pytest.raises(LeadIsClosed):
        follow_up(desk, lead.id)


def test_a_seller_can_not_work_on_the_lead_of_another(desk: Desk) -> None:
    desk.hire()
    lead = desk.take()
    for attempt in (lambda: follow_up(desk, lead.id, user()), lambda: _assign(desk, lead.id, user())):
        with pytest.raises(LeadNotFound):
            attempt()


def test_a_manager_gives_a_lead_to_somebody_and_back_to_the_pool(desk: Desk) -> None:
    [seller] = desk.hire()
    lead, manager = desk.take(), user(Scope.ALL)
    _assign(desk, lead.id, manager)
    assert desk.row(lead.id).owner_id is None
    _assign(desk, lead.id, manager, seller)
    assert desk.row(lead.id).owner_id == seller
    assert desk.ways(lead.id) == ["rules", "given_back", "named"]


def _assign(desk: Desk, lead_id: UUID, who: Principal, owner_id: UUID | None = None) -> None:
    with desk.app.work(who) as work:
        assign_lead(work, lead_id, owner_id, by_rules=False)
