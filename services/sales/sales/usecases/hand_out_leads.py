"""Leads are given to sellers, claimed from the pool, and taken back (S-09, S-10, S-11)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.pure.clock import day_start, today
from sales.domain.assignment import Assignment, choose_owner
from sales.domain.errors import ClaimLimitReached, HoldingLimitReached, LeadNotFound, OwnerOutOfReach
from sales.domain.follow_up import FIRST, SECOND
from sales.domain.lead import Lead
from sales.usecases.mind_leads import drop_reminders, mind_clock, remind
from sales.usecases.ports import Work
from sales.usecases.sell import follow_lead
from sales.usecases.tell_leads import tell_lead

ASSIGN = "sales.leads.assign"


def assign_by_rules(work: Work, lead: Lead, had_it: Sequence[UUID] = ()) -> Lead:
    """Gives the lead, which is locked or new, to the seller whom the rules choose, else to the pool."""
    chosen = choose_owner(lead, work.sellers.all(lock=True), today(work.clock), had_it)
    if chosen.owner_id is not None:
        work.sellers.note_assigned(chosen.owner_id)
    return _give(work, lead, chosen)


def assign_to(work: Work, lead: Lead, owner_id: UUID, way: str) -> Lead:
    """Gives the lead, which is locked or new, to a user."""
    return _give(work, lead, Assignment(owner_id, way))


def assign_lead(work: Work, lead_id: UUID, owner_id: UUID | None, *, by_rules: bool) -> Lead:
    """Gives a lead, one of the pool too, to a user, to whom the rules choose, or back to the pool.

    Raises LeadNotFound, LeadIsClosed, OwnerOutOfReach.
    """
    lead = work.leads.lend(lead_id, ASSIGN, pool=True)
    lead.require_open()
    work.audit("assign", "lead", lead_id, owner_id=str(owner_id or ""), by_rules=by_rules)
    if by_rules:
        return assign_by_rules(work, lead)
    if owner_id is not None and not work.sellers.reaches(owner_id, ASSIGN):
        raise OwnerOutOfReach
    return _give(work, lead, Assignment(owner_id, "named" if owner_id else "given_back"))


def claim_lead(work: Work, lead_id: UUID) -> Lead:
    """Takes a lead from the public pool; of two who try, one gets it.

    Raises LeadNotFound, LeadTaken, ClaimLimitReached, HoldingLimitReached.
    """
    me = work.principal.user_id
    if me is None:
        raise LeadNotFound
    rules = work.rules.in_force()
    work.leads.claim_alone(me)
    lead = work.leads.lend_from_pool(lead_id)
    since = day_start(today(work.clock), work.clock.zone)
    if work.leads.claims_since(me, since) >= rules.claims_a_day:
        raise ClaimLimitReached(limit=rules.claims_a_day)
    if work.sellers.held(me) >= rules.most_held:
        raise HoldingLimitReached(limit=rules.most_held)
    work.audit("claim", "lead", lead_id)
    return assign_to(work, lead, me, "claim")


def return_hot_leads(work: Work, lead_ids: Sequence[UUID]) -> None:
    """Takes hot leads whose clocks have run out from their owners, and gives each to somebody else."""
    rules = work.rules.in_force()
    work.leads.hold(lead_ids)
    for lead_id in lead_ids:
        try:
            lead = work.leads.lend(lead_id, ASSIGN)
        except LeadNotFound:
            continue
        if not rules.hot(lead) or lead.owner_id is None:
            continue
        work.audit("return", "lead", lead_id, owner_id=str(lead.owner_id))
        lead = _give(work, lead, Assignment(None, "returned"), tell=False)
        assign_by_rules(work, lead, work.leads.owners_before(lead_id))


def _give(work: Work, lead: Lead, assignment: Assignment, *, tell: bool = True) -> Lead:
    lead = lead.given_to(assignment.owner_id, work.now)
    work.leads.save(lead)
    work.leads.note_assignment(lead.id, assignment)
    follow_lead(work, lead)
    mind_clock(work, lead, anew=True)
    drop_reminders(work, lead)
    if assignment.owner_id is not None:
        rules = work.rules.in_force()
        plan = {FIRST: rules.first_follow_up, SECOND: rules.second_follow_up}
        remind(work, lead, assignment.owner_id, plan)
    if tell:
        tell_lead(work, lead)
    return lead
