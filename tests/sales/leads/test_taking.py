"""Leads come in: by callers, and by forms that survive the absence of the customer service."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest

from kernel.jobs.job import Running
from kernel.pure.errors import Invalid
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id
from kernel.rpc.channel import PeerUnavailable
from kernel.sql import subjects
from kernel.sql.subjects import SubjectRestricted
from sales.domain.errors import LeadCustomerNotFound, LeadFormNotFound, OwnerOutOfReach
from sales.domain.lead import Contact
from sales.jobs.forget_forms import ForgetForms
from sales.jobs.resolve_forms import ResolveForms
from sales.usecases.ports import Form
from sales.usecases.take_forms import create_form, submit_form
from sales.usecases.take_leads import keep_lead, know_lead, roster
from tests.contracts.examples import promised, same_shape
from tests.sales.conftest import NOON
from tests.sales.leads.conftest import SERVICE, Desk, draft, user
from tests.sales.people import owners


def test_a_lead_refers_to_the_customer_whom_the_contact_is(desk: Desk) -> None:
    first = desk.take()
    again = desk.take(source_channel="老客推荐")
    assert first.customer_id == again.customer_id
    assert (desk.row(first.id).source_channel, desk.row(again.id).source_channel) == ("百度SEM", "老客推荐")


def test_a_lead_that_came_in_is_told(desk: Desk) -> None:
    [owner] = desk.hire()
    lead = desk.take()
    told = [json.loads(row.body) for row in desk.app.reader.rows("select body from outbox order by seq")]
    for promise in promised("crm.sales.v1.LeadsChanged"):
        same_shape(told[-1], promise)
    assert told[-1]["data"]["leads"][0]["ownerId"] == str(owner)
    assert told[-1]["data"]["leads"][0]["version"] == desk.row(lead.id).version


def test_what_a_lead_needs_is_sealed(desk: Desk) -> None:
    sealed = desk.row(desk.take().id).sealed
    assert sealed
    assert "二十套".encode() not in sealed


def test_whoever_reaches_their_own_only_owns_what_they_enter(desk: Desk) -> None:
    desk.hire()
    me = user()
    assert desk.take(me).owner_id == me.user_id
    with pytest.raises(OwnerOutOfReach):
        desk.take(me, owner_id=desk.hire()[0])


def test_a_customer_out_of_reach_is_none(desk: Desk) -> None:
    me, customer = user(), new_id()
    owners(desk.app, {customer: new_id()})
    with pytest.raises(LeadCustomerNotFound):
        desk.take(me, contact=None, customer_id=customer)
    assert desk.take(user(Scope.ALL), contact=None, customer_id=customer).customer_id == customer


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"source_channel": ""}, "lead.source_channel"),
        ({"contact": None}, "lead.customer_id"),
        ({"contact": Contact(full_name="欧阳建国")}, "contact"),
        ({"contact": Contact(phones=("13800138000",))}, "contact"),
        ({"contact": Contact(full_name="欧阳建国", phones=("1",))}, "contact.phones[0]"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(
    desk: Desk, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.take(**changed)
    assert field in [violation.field for violation in refused.value.violations]
    assert desk.app.reader.rows("select 1 from leads") == []


class Page:
    """A form on a web page, and the job that makes leads of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.app.work(SERVICE) as work:
            self.form: Form = create_form(work, "官网", "线下展会A")

    def submit(self, **changed: object) -> None:
        with self.desk.app.work(SERVICE) as work:
            given = {"form_id": self.form.id, "key": self.form.key, "submission_id": None, **changed}
            submit_form(work, draft=draft(source_channel="伪造"), **given)  # type: ignore[arg-type]

    def resolve(self) -> None:
        body = ResolveForms(self.desk.app, self.desk.people)
        body(Running(self.desk.app, 1, lambda: False))

    def counts(self) -> tuple[int, int]:
        """How many forms wait, and how many leads there are."""
        sql = "select (select count(*) from submissions) as waiting, (select count(*) from leads) as leads"
        row = self.desk.app.reader.row(sql)
        return (row.waiting, row.leads) if row else (-1, -1)


def test_a_form_becomes_a_lead_of_the_forms_channel(desk: Desk) -> None:
    page = Page(desk)
    page.submit()
    page.resolve()
    assert page.counts() == (0, 1)
    [row] = desk.app.reader.rows("select source_channel from leads")
    assert row.source_channel == "线下展会A"


def test_a_form_waits_sealed_while_customers_are_away_and_nothing_is_lost(desk: Desk) -> None:
    page = Page(desk)
    desk.people.away = True
    page.submit()
    with pytest.raises(PeerUnavailable):
        page.resolve()
    assert page.counts() == (1, 0)
    [row] = desk.app.reader.rows("select sealed from submissions")
    assert "欧阳建国".encode() not in row.sealed
    assert b"13800138000" not in row.sealed
    desk.people.away = False
    page.resolve()
    page.resolve()
    assert page.counts() == (0, 1)


def test_the_same_form_sent_again_is_one_lead(desk: Desk) -> None:
    page, submission_id = Page(desk), new_id()
    for _ in range(2):
        page.submit(submission_id=submission_id)
        page.resolve()
    assert page.counts() == (0, 1)


def test_a_form_without_its_key_is_none(desk: Desk) -> None:
    page = Page(desk)
    with pytest.raises(LeadFormNotFound):
        page.submit(key="guessed")
    assert page.counts() == (0, 0)


def rest(desk: Desk, customer_id: UUID) -> None:
    """The data of the customer may not be used from now on."""
    with desk.app.work(SERVICE) as work:
        subjects.restrict(work.session, [(customer_id, 1, True)])


def state(desk: Desk) -> list[tuple[str | None]]:
    return [tuple(row) for row in desk.app.reader.rows("select refused_for from submissions")]


def test_a_form_that_can_be_no_lead_is_refused_and_forgotten_after_a_while(desk: Desk) -> None:
    """Out of the way of the others meanwhile; its key goes with it."""
    page, customer_id = Page(desk), desk.take().customer_id
    rest(desk, customer_id)
    page.submit()
    page.resolve()
    assert (page.counts(), state(desk)) == ((1, 1), [("SUBJECT_RESTRICTED",)])
    desk.people.known.clear()
    page.submit()
    page.resolve()
    assert page.counts() == (1, 2)
    [kept] = desk.app.reader.rows("select id, sealed from submissions")
    days = timedelta(days=desk.app.settings.refused_forms_days)
    for passed, left in ((days, 1), (days + timedelta(seconds=1), 0)):
        desk.clock.instant = NOON + passed
        ForgetForms(desk.app)(Running(desk.app, 1, lambda: False))
        assert page.counts() == (left, 2)
    assert desk.app.seals.intake.open("submissions", kept.id, kept.id, kept.sealed) is None


def test_a_contact_who_turns_out_to_be_restricted_is_no_lead(desk: Desk) -> None:
    rest(desk, desk.take().customer_id)
    with pytest.raises(SubjectRestricted):
        desk.take()


def test_leads_of_a_batch_are_expected_by_the_sellers_who_get_them(desk: Desk) -> None:
    """Customers are recorded for whoever the leads go to; nothing is locked meanwhile."""
    sellers = desk.hire(3)
    told = [draft(contact=Contact(full_name=f"客户{n}", phones=("13800138000",))) for n in range(6)]
    with desk.app.work(SERVICE) as work:
        expected = roster(work)
        known = [know_lead(work, desk.people, expected, one) for one in told]
        with desk.app.engine.begin() as other:
            other.exec_driver_sql("select from sellers for update nowait")
        owners = [keep_lead(work, one).owner_id for one in known]
    assert owners == desk.people.owners
    assert sorted(owners[:3], key=str) == sorted(owners[3:], key=str) == sorted(sellers, key=str)
