"""Holds against erasures: placed, lifted, ended by their last day."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from kernel.pure.clock import day_start, today
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id
from privacy.domain.errors import HoldNotFound, SubjectUnknown
from privacy.domain.holds import Hold, check_text, check_until
from privacy.usecases.erase_subjects import go_on
from privacy.usecases.ports import Work

ENDS = "hold_ends"


def place_hold(work: Work, subject_id: UUID, reason: str, until: date | None) -> Hold:
    """Raises Invalid or SubjectUnknown."""
    checks = Checks()
    check_text("reason", reason, checks)
    check_until(until, today(work.clock), checks)
    checks.raise_if_any()
    if not work.persons.known(subject_id):
        raise SubjectUnknown
    hold = Hold(new_id(), subject_id, reason, until, work.now)
    work.holds.add(hold)
    if until is not None:
        work.schedule(ENDS, str(hold.id), day_start(until + timedelta(days=1), work.clock.zone))
    work.audit("place_hold", "customer", subject_id, hold=str(hold.id))
    return hold


def lift_hold(work: Work, hold_id: UUID) -> Hold:
    """Ends a hold; what waited for it goes on. Raises HoldNotFound."""
    hold = work.holds.lift(hold_id, work.now)
    work.cancel(ENDS, str(hold.id))
    work.audit("lift_hold", "customer", hold.subject_id, hold=str(hold.id))
    go_on(work, [hold.subject_id])
    return hold


def end_hold(work: Work, hold_id: UUID) -> None:
    """Its last day has passed; one that was lifted before needs nothing."""
    try:
        lift_hold(work, hold_id)
    except HoldNotFound:
        return
