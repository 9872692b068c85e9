"""Sellers follow leads up, and are reminded of the next time (S-11, S-13, S-15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kernel.pure.ids import new_id
from sales.domain.follow_up import NEXT, SECOND, FollowUp, read_follow_up
from sales.domain.lead import Lead
from sales.usecases.mind_leads import drop_reminders, end_lead, mind_clock, remind
from sales.usecases.ports import Work
from sales.usecases.tell_leads import tell_lead

UPDATE = "sales.leads.update"


def record_follow_up(work: Work, lead_id: UUID, told: FollowUp) -> tuple[UUID, FollowUp, datetime | None]:
    """Stores a follow-up; answers its id, its normal form and when the next reminder goes off.

    A hot lead has its time anew before it goes to somebody else. After the first follow-up of an owner
    the second is due by the rules, unless the seller says when. Raises Invalid, LeadNotFound, LeadIsClosed.
    """
    told = read_follow_up(told, work.now)
    lead = work.leads.lend(lead_id, UPDATE)
    work.refuse_restricted(lead.customer_id)
    first = lead.followed_at is None
    assigned_at = lead.assigned_at
    lead = lead.followed(work.now)
    follow_up_id = new_id()
    work.follow_ups.add(follow_up_id, lead, told)
    work.leads.save(lead)
    mind_clock(work, lead, anew=True)
    drop_reminders(work, lead)
    remind_at = told.remind_at
    user_id = lead.owner_id or work.principal.user_id
    if user_id is not None:
        if remind_at is not None:
            remind(work, lead, user_id, {NEXT: remind_at - work.now})
        elif first and assigned_at is not None:
            rules = work.rules.in_force()
            # After a late first one there is as much time as there would have been.
            remind_at = max(
                assigned_at + rules.second_follow_up,
                work.now + max(rules.second_follow_up - rules.first_follow_up, timedelta(0)),
            )
            remind(work, lead, user_id, {SECOND: remind_at - work.now})
    work.audit("follow_up", "lead", lead_id, method=told.method)
    tell_lead(work, lead)
    return follow_up_id, told, remind_at


def close_lead(work: Work, lead_id: UUID, reason: str) -> Lead:
    """Says that nothing will come of a lead. Raises LeadNotFound, LeadIsClosed."""
    lead = end_lead(work, work.leads.lend(lead_id, UPDATE), reason)
    work.audit("close", "lead", lead_id, reason=reason)
    return lead


def raise_reminders(work: Work, ids: Sequence[UUID]) -> None:
    """The reminders go off."""
    work.follow_ups.raise_reminders(ids)
