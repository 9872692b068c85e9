"""What customers do with messages of campaigns is known of each of their leads, and scores them anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.pure.ids import new_id
from sales.domain.lead import Lead
from sales.domain.scoring import Mail
from sales.domain.trying import Sample
from sales.store import lead_queries
from sales.usecases.follow_up_leads import close_lead
from sales.usecases.score_leads import activate_rules, note_mails
from tests.sales.leads.conftest import SERVICE, Desk
from tests.sales.leads.test_taking import rest

# Of the rules that every installation begins with.
FITS, OPENS, OPENS_OFTEN = 10, 10, 10


@pytest.fixture
def lead(desk: Desk) -> Lead:
    return desk.take()


def open_mails(desk: Desk, customer_id: UUID, number: int = 1, **changed: Any) -> list[Mail]:
    """The customer opened so many messages, and clicked none."""
    mails = [replace(Mail(new_id(), customer_id, desk.clock.instant, None), **changed) for _ in range(number)]
    hear(desk, mails)
    return mails


def hear(desk: Desk, mails: list[Mail]) -> None:
    with desk.app.work(SERVICE) as work:
        note_mails(work, mails)


def link(desk: Desk, customer_id: UUID, survivor_id: UUID | None, version: int = 1) -> None:
    with desk.app.work(SERVICE) as work:
        work.customers.link([(customer_id, survivor_id, version)])


def scorings(desk: Desk) -> int:
    return len(desk.app.reader.rows("select from lead_scores"))


def test_who_opens_messages_has_a_better_score_with_its_reasons(desk: Desk, lead: Lead) -> None:
    assert lead.score == FITS
    mails = open_mails(desk, lead.customer_id, 2)
    assert desk.row(lead.id).score == FITS + OPENS
    hear(desk, [replace(mails[0], clicked_at=desk.clock.instant)])
    open_mails(desk, lead.customer_id)
    row = lead_queries.latest_score(desk.app.reader, lead.id)
    assert row.score == FITS + OPENS + OPENS_OFTEN
    assert (row.inputs["opened_mail"], row.inputs["clicked_mail"]) == (3, 1)
    assert ["opens mail often", OPENS_OFTEN] in row.reasons


def test_what_was_known_before_and_what_nobody_did_is_no_news(desk: Desk, lead: Lead) -> None:
    mails = open_mails(desk, lead.customer_id)
    before = scorings(desk)
    hear(desk, mails)
    open_mails(desk, lead.customer_id, opened_at=None)
    assert scorings(desk) == before


def test_every_open_lead_of_the_customer_is_scored_and_no_other(desk: Desk, lead: Lead) -> None:
    other = desk.take(contact=None, customer_id=lead.customer_id)
    closed = desk.take(contact=None, customer_id=lead.customer_id)
    stranger = desk.take(contact=None, customer_id=new_id())
    with desk.app.work(SERVICE) as work:
        close_lead(work, closed.id, "no_need")
    open_mails(desk, lead.customer_id)
    scores = [desk.row(one.id).score for one in (lead, other, closed, stranger)]
    assert scores == [FITS + OPENS, FITS + OPENS, FITS, FITS]


def test_a_lead_that_comes_later_knows_what_its_customer_did_before(desk: Desk, lead: Lead) -> None:
    """A campaign comes before the lead it brings."""
    customer_id = new_id()
    open_mails(desk, customer_id, 3)
    assert desk.take(contact=None, customer_id=customer_id).score == FITS + OPENS + OPENS_OFTEN


@pytest.mark.parametrize("absorbed", ["lead", "mail"])
def test_merged_customers_are_one_until_the_merge_is_undone(desk: Desk, lead: Lead, absorbed: str) -> None:
    other = new_id()
    customer, survivor = (lead.customer_id, other) if absorbed == "lead" else (other, lead.customer_id)
    link(desk, customer, survivor)
    [mail] = open_mails(desk, other)
    assert desk.row(lead.id).score == FITS + OPENS
    link(desk, customer, None, version=2)
    hear(desk, [replace(mail, message_id=new_id(), customer_id=lead.customer_id)])
    inputs = lead_queries.latest_score(desk.app.reader, lead.id).inputs
    assert inputs["opened_mail"] == 1


def test_while_data_rests_nothing_is_made_of_it(desk: Desk, lead: Lead) -> None:
    rest(desk, lead.customer_id)
    open_mails(desk, lead.customer_id)
    assert desk.row(lead.id).score == FITS


def test_who_opens_enough_is_an_opportunity(desk: Desk, lead: Lead) -> None:
    with desk.app.work(SERVICE) as work:
        rules = work.rules.add(replace(work.rules.in_force(), threshold=FITS + OPENS + OPENS_OFTEN))
        activate_rules(work, rules.version)
    desk.clock.instant += timedelta(minutes=1)
    open_mails(desk, lead.customer_id, 2)
    assert desk.row(lead.id).opportunity_id is None
    open_mails(desk, lead.customer_id)
    assert desk.row(lead.id).opportunity_id is not None


def test_rules_are_tried_on_what_customers_did_too(desk: Desk, lead: Lead) -> None:
    open_mails(desk, lead.customer_id, 2)
    [row] = lead_queries.sample(desk.app.reader, 10)
    assert [fact.kind for fact in Sample.of(row).facts] == ["opened_mail", "opened_mail"]
