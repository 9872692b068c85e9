"""Leads are not forgotten: the clock of hot ones, and reminders; until they end (S-10, S-11)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from kernel.pure.ids import new_id
from sales.domain.follow_up import Reminder
from sales.domain.lead import Lead
from sales.usecases.ports import REMIND, RETURN_LEAD, Work
from sales.usecases.tell_leads import tell_lead


def mind_clock(work: Work, lead: Lead, *, anew: bool = False) -> None:
    """A hot lead in somebody's hand goes to somebody else after a while: from when it became hot, was
    given or was worked on last. `anew` says that it was given or worked on just now."""
    rules = work.rules.in_force()
    if not rules.hot(lead) or lead.owner_id is None:
        work.cancel(RETURN_LEAD, str(lead.id))
    elif anew or not work.leads.clocked(lead.id):
        work.schedule(RETURN_LEAD, str(lead.id), work.now + rules.return_after)


def remind(work: Work, lead: Lead, user_id: UUID, plan: dict[str, timedelta]) -> None:
    """Sets reminders of these kinds, each so long from now."""
    reminders = [Reminder(new_id(), lead.id, user_id, kind, work.now + after) for kind, after in plan.items()]
    work.follow_ups.remind(reminders)
    for reminder in reminders:
        work.schedule(REMIND, str(reminder.id), reminder.due_at)


def drop_reminders(work: Work, lead: Lead) -> None:
    """Nobody is reminded of the lead, which is locked, any more."""
    # Timers first: one that goes off holds its row before it comes to the reminder's.
    for reminder_id in work.follow_ups.reminders_of(lead.id):
        work.cancel(REMIND, str(reminder_id))
    work.follow_ups.forget_reminders(lead.id)


def end_lead(work: Work, lead: Lead, reason: str = "") -> Lead:
    """The lead, which is locked, comes to its end: with its opportunity, or for a reason.

    Raises LeadIsClosed.
    """
    lead = lead.closed(reason)
    work.leads.save(lead)
    work.cancel(RETURN_LEAD, str(lead.id))
    drop_reminders(work, lead)
    tell_lead(work, lead)
    return lead
