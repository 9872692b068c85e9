"""Hot leads in the hands of the roles that are shipped: each with the reach it really has (S-10)."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.domain.presets import PRESETS
from kernel.pure.errors import CrmError
from kernel.pure.grants import Principal, PrincipalKind, widest
from kernel.pure.ids import new_id
from kernel.sql import staff
from sales.domain.errors import LeadNotFound, OwnerOutOfReach
from sales.domain.lead import Lead
from sales.usecases.hand_out_leads import assign_lead, claim_lead
from tests.sales.leads.conftest import SERVICE, Desk
from tests.sales.leads.test_handing_out import heat, threshold

GRANTS = {role.id: widest(role.grants) for role in PRESETS}


def member(preset: str, user_id: UUID | None = None) -> Principal:
    return Principal(PrincipalKind.USER, str(user_id or new_id()), GRANTS[preset])


def hot_in_the_pool(desk: Desk) -> Lead:
    lead = desk.take()
    heat(desk, lead.id)
    assert lead.owner_id is None
    return lead


def owner_of_both(desk: Desk, lead_id: UUID) -> UUID | None:
    """Whose the lead is, and its opportunity with it."""
    sql = "select o.owner_id from opportunities o join leads l on l.opportunity_id = o.id where l.id = %(id)s"
    row, owner_id = desk.app.reader.row(sql, {"id": lead_id}), desk.row(lead_id).owner_id
    assert row is not None
    assert row.owner_id == owner_id
    return UUID(str(owner_id)) if owner_id else None


@pytest.mark.parametrize("preset", ["seller", "sales_manager"])
def test_a_hot_lead_of_the_pool_is_claimed_with_its_opportunity(desk: Desk, preset: str) -> None:
    lead, me = hot_in_the_pool(desk), member(preset)
    with desk.app.work(me) as work:
        claim_lead(work, lead.id)
    assert owner_of_both(desk, lead.id) == me.user_id


@pytest.fixture
def team(desk: Desk) -> tuple[UUID, UUID]:
    """A manager, and a seller of the team below."""
    manager, seller, above, below = (new_id() for _ in range(4))
    with desk.app.work(SERVICE) as work:
        staff.record_teams(work.session, [(above, 1, [above]), (below, 1, [above, below])])
        staff.record_users(work.session, [(manager, 1, above, False), (seller, 1, below, False)])
    return manager, seller


def test_a_manager_gives_hot_leads_of_the_pool_to_sellers_of_the_team(
    desk: Desk, team: tuple[UUID, UUID]
) -> None:
    lead, (manager, seller) = hot_in_the_pool(desk), team
    for owner_id in (seller, None, manager):
        with desk.app.work(member("sales_manager", manager)) as work:
            assign_lead(work, lead.id, owner_id, by_rules=False)
        assert owner_of_both(desk, lead.id) == owner_id
    [stranger] = desk.hire()
    with pytest.raises(OwnerOutOfReach), desk.app.work(member("sales_manager", manager)) as work:
        assign_lead(work, lead.id, stranger, by_rules=False)


def test_a_manager_lets_the_rules_give_a_hot_lead_of_the_pool(desk: Desk, team: tuple[UUID, UUID]) -> None:
    lead, (manager, _) = hot_in_the_pool(desk), team
    [chosen] = desk.hire()
    with desk.app.work(member("sales_manager", manager)) as work:
        assign_lead(work, lead.id, None, by_rules=True)
    assert owner_of_both(desk, lead.id) == chosen
    # Somebody else's now, and not of the team.
    with pytest.raises(LeadNotFound), desk.app.work(member("sales_manager", manager)) as work:
        assign_lead(work, lead.id, manager, by_rules=False)


@pytest.mark.parametrize("preset", ["integration", "marketer", "seller", "sales_manager", "admin"])
def test_a_lead_that_is_hot_as_it_comes_in_is_taken_from_whoever_may_enter_leads(
    desk: Desk, preset: str
) -> None:
    threshold(desk, 0)
    me = member(preset)
    lead = desk.take(me)
    # Sellers reach their own only, so that what they enter is theirs.
    assert owner_of_both(desk, lead.id) == (me.user_id if preset == "seller" else None)
    [owner] = desk.hire()
    later = desk.take(me)
    assert owner_of_both(desk, later.id) == (me.user_id if preset == "seller" else owner)


@pytest.mark.parametrize("preset", ["auditor", "agent", "privacy_officer"])
def test_who_may_not_give_leads_does_not_reach_the_pool_by_it(desk: Desk, preset: str) -> None:
    lead = hot_in_the_pool(desk)
    with pytest.raises(CrmError) as refused, desk.app.work(member(preset)) as work:
        assign_lead(work, lead.id, None, by_rules=True)
    assert refused.value.reason == "LEAD_NOT_FOUND"
