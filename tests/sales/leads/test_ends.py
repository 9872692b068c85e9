"""Opportunities keep what their stage asks for; leads end with them and nobody minds them any more."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from kernel.jobs.timers import fire_due
from kernel.pure.money import Money
from sales.domain.errors import StageNeeds
from sales.domain.opportunity import Figures
from sales.jobs.leads import return_leads
from sales.usecases import sell
from sales.usecases.ports import RETURN_LEAD
from tests.sales.conftest import NOON
from tests.sales.leads.conftest import SERVICE, Desk
from tests.sales.leads.test_handing_out import HOUR, follow_up, heat, reminders
from tests.sales.leads.test_selling import TERMS
from tests.support.servers import eventually


def opportunity_of(desk: Desk, lead_id: UUID) -> UUID:
    return UUID(str(desk.row(lead_id).opportunity_id))


def prepare(desk: Desk, opportunity_id: UUID) -> None:
    """Everything is entered that a stage may ask for."""
    with desk.app.work(SERVICE) as work:
        sell.attach_proposal(work, opportunity_id, "方案.pdf", b"%PDF")
        told = Figures(Money.parse("20000.00", "CNY"), 60)
        sell.update_opportunity(work, opportunity_id, "", told, ["amount", "probability"])


@pytest.mark.parametrize("gone", ["amount", "probability"])
def test_what_the_stage_asked_for_can_not_be_taken_away_again(desk: Desk, gone: str) -> None:
    desk.hire()
    lead = desk.take()
    heat(desk, lead.id)
    opportunity_id = opportunity_of(desk, lead.id)
    prepare(desk, opportunity_id)
    with desk.app.work(SERVICE) as work:
        sell.update_opportunity(work, opportunity_id, "", Figures(), [gone])
    prepare(desk, opportunity_id)
    with desk.app.work(SERVICE) as work:
        sell.move_stage(work, opportunity_id, "negotiation")
    with pytest.raises(StageNeeds, match=gone), desk.app.work(SERVICE) as work:
        sell.update_opportunity(work, opportunity_id, "", Figures(), [gone])
    with desk.app.work(SERVICE) as work:
        changed = Figures(Money.parse("1.00", "CNY"), 70)
        sell.update_opportunity(work, opportunity_id, "", changed, ["amount", "probability"])


@pytest.mark.parametrize("won", [True, False])
def test_nobody_is_reminded_of_a_lead_whose_opportunity_is_over(desk: Desk, won: bool) -> None:
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    opportunity_id = opportunity_of(desk, lead.id)
    prepare(desk, opportunity_id)
    assert reminders(desk) != []
    with desk.app.work(SERVICE) as work:
        if won:
            sell.win_opportunity(work, opportunity_id, "standard", TERMS)
        else:
            sell.lose_opportunity(work, opportunity_id, "price")
    assert desk.row(lead.id).status == "closed"
    assert reminders(desk) == []
    assert desk.app.reader.rows("select 1 from timers") == []


def test_a_lead_ends_with_its_opportunity_whoever_has_either(desk: Desk) -> None:
    desk.hire()
    lead = desk.take()
    heat(desk, lead.id)
    with desk.app.work(SERVICE) as work:
        [other] = desk.hire()
        sell.update_opportunity(
            work, opportunity_of(desk, lead.id), "", Figures(owner_id=other), ["owner_id"]
        )
        sell.lose_opportunity(work, opportunity_of(desk, lead.id), "price")
    assert desk.row(lead.id).status == "closed"


@pytest.mark.parametrize("which", ["follow_up", "lose"])
def test_a_clock_that_runs_out_waits_for_who_works_on_the_lead_and_not_in_a_circle(
    desk: Desk, which: str
) -> None:
    """Whoever works on it holds the clock before the lead, as the clock does when it runs out: neither is
    thrown out by the database."""
    desk.hire(2)
    lead = desk.take()
    heat(desk, lead.id)
    desk.clock.instant = NOON + 48 * HOUR
    failed: list[Exception] = []

    def run_out() -> None:
        try:
            fire_due(desk.app, {RETURN_LEAD: return_leads}, desk.clock.instant)
        except Exception as error:
            failed.append(error)

    def work_on() -> None:
        try:
            if which == "follow_up":
                follow_up(desk, lead.id)
            else:
                with desk.app.work(SERVICE) as work:
                    sell.lose_opportunity(work, opportunity_of(desk, lead.id), "price")
        except Exception as error:
            failed.append(error)

    with desk.app.engine.begin() as connection:
        # Both stop at the lead, or before it at the clock.
        connection.exec_driver_sql("select from leads for update")
        threads = [threading.Thread(target=work_on), threading.Thread(target=run_out)]
        threads[0].start()
        eventually(lambda: waiting(desk) >= 1)
        threads[1].start()
        # The clock is in the other's hand: passed over, not waited for.
        threads[1].join(timeout=30)
        assert not threads[1].is_alive()
    threads[0].join(timeout=30)
    assert (failed, threads[0].is_alive()) == ([], False)
    assert desk.ways(lead.id) == ["rules"]


def waiting(desk: Desk) -> int:
    sql = """
        select count(*)::int as n from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()
    """
    [row] = desk.app.reader.rows(sql)
    return int(row.n)
