"""Orders keep the customer they came with; those of merged customers are shown together."""

from __future__ import annotations

from uuid import UUID

import pytest

from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.pure.money import Money
from sales.domain.lead import LeadDraft
from sales.domain.opportunity import Figures
from sales.store import contract_queries, lead_queries, opportunity_queries, queries
from sales.usecases import sell
from sales.usecases.record_orders import record_orders
from sales.usecases.take_leads import take_lead
from sales.wiring import SalesApp
from tests.sales.drafts import order
from tests.sales.leads.conftest import StandIn
from tests.sales.leads.test_selling import TERMS
from tests.sales.people import owners, reader

SERVICE = Principal.service("sales")
EVERYBODY = reader(Scope.ALL)


def buy(app: SalesApp, customer: UUID, value: str) -> None:
    with app.work(SERVICE) as work:
        record_orders(work, [order(value=value, customer_id=str(customer))])


def link(app: SalesApp, customer: UUID, survivor: UUID | None, version: int = 1) -> None:
    with app.work(SERVICE) as work:
        work.customers.link([(customer, survivor, version)])


def seen(app: SalesApp, customer: UUID | None, principal: Principal = EVERYBODY) -> set[str]:
    return {row.value for row in queries.list_orders(app.reader, principal, customer, None, 100)}


class Group:
    """A survivor and an absorbed customer of another owner, with one order each; and a stranger."""

    def __init__(self, app: SalesApp) -> None:
        self.survivor, self.absorbed, self.stranger = new_id(), new_id(), new_id()
        self.anna, self.bo = new_id(), new_id()
        owners(app, {self.survivor: self.anna, self.absorbed: self.bo, self.stranger: self.bo})
        for name in ("survivor", "absorbed", "stranger"):
            buy(app, getattr(self, name), name)
        link(app, self.absorbed, self.survivor)


@pytest.fixture
def group(app: SalesApp) -> Group:
    return Group(app)


@pytest.mark.parametrize("asked", ["survivor", "absorbed"])
def test_any_member_of_a_group_stands_for_all_of_it(app: SalesApp, group: Group, asked: str) -> None:
    assert seen(app, getattr(group, asked)) == {"survivor", "absorbed"}


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("survivor", {"survivor", "absorbed"}),
        ("absorbed", {"survivor", "absorbed"}),
        ("stranger", {"stranger"}),
    ],
)
def test_customers_in_the_portal_see_the_orders_of_their_group(
    app: SalesApp, group: Group, who: str, sees: set[str]
) -> None:
    me = reader(Scope.SELF, customer_id=getattr(group, who))
    assert seen(app, None, me) == sees
    for row in queries.list_orders(app.reader, EVERYBODY, None, None, 100):
        assert (queries.get_order(app.reader, me, row.id) is not None) == (row.value in sees)


def test_an_order_keeps_the_customer_it_came_with(app: SalesApp, group: Group) -> None:
    rows = queries.list_orders(app.reader, EVERYBODY, group.survivor, None, 100)
    assert {row.value: row.customer_id for row in rows} == {
        "survivor": group.survivor,
        "absorbed": group.absorbed,
    }


def test_the_survivors_owner_sees_the_orders_of_the_group_and_the_other_no_longer(
    app: SalesApp, group: Group
) -> None:
    assert seen(app, None, reader(Scope.OWN, group.anna)) == {"survivor", "absorbed"}
    assert seen(app, None, reader(Scope.OWN, group.bo)) == {"stranger"}


def test_taken_out_again_each_has_its_own_orders_and_owner(app: SalesApp, group: Group) -> None:
    link(app, group.absorbed, None, version=2)
    assert seen(app, group.survivor) == {"survivor"}
    assert seen(app, group.absorbed) == {"absorbed"}
    assert seen(app, None, reader(Scope.OWN, group.bo)) == {"absorbed", "stranger"}


def test_an_older_link_changes_nothing(app: SalesApp, group: Group) -> None:
    link(app, group.absorbed, None, version=2)
    link(app, group.absorbed, group.survivor, version=1)
    assert seen(app, group.survivor) == {"survivor"}


def test_a_link_may_be_heard_before_the_customers(app: SalesApp) -> None:
    survivor, absorbed, anna = new_id(), new_id(), new_id()
    link(app, absorbed, survivor)
    buy(app, absorbed, "early")
    assert seen(app, None, reader(Scope.OWN, anna)) == set()
    owners(app, {survivor: anna})
    assert seen(app, None, reader(Scope.OWN, anna)) == {"early"}


def test_any_member_of_a_group_finds_its_leads_opportunities_and_contracts(
    app: SalesApp, group: Group
) -> None:
    with app.work(SERVICE) as work:
        made = sell.create_opportunity(work, group.absorbed, "four_stage", Figures(Money.parse("1", "CNY")))
        _, contract = sell.win_opportunity(work, made.id, "standard", TERMS)
        draft = LeadDraft("百度SEM", customer_id=group.absorbed)
        lead = take_lead(work, StandIn(), draft)
    for listed, found in (
        (lead_queries.list_leads, lead.id),
        (opportunity_queries.list_opportunities, made.id),
        (contract_queries.list_contracts, contract.id),
    ):
        for asked, ids in ((group.survivor, [found]), (group.absorbed, [found]), (group.stranger, [])):
            for text in (f'customer_id == "{asked}"', f'customer_id in ["{asked}"]'):
                assert [row.id for row in listed(app.reader, SERVICE, text, None, 9)] == ids
        text = f'customer_id != "{group.absorbed}"'
        assert listed(app.reader, SERVICE, text, None, 9) == []
