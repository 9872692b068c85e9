"""Forms that anybody fills in: kept sealed at once, leads as soon as the customer service answers (S-01)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.ids import new_id
from sales.domain.errors import LeadFormNotFound
from sales.domain.lead import LONGEST_TEXT, LeadDraft, read_lead
from sales.domain.reading import read_text
from sales.usecases.ports import RESOLVE_FORMS, Form, People, Submission, Work
from sales.usecases.take_leads import take_lead


def create_form(work: Work, title: str, source_channel: str) -> Form:
    """A new form with a key of its own. Raises Invalid."""
    checks = Checks()
    form = Form(
        id=new_id(),
        title=read_text(checks, "title", title, LONGEST_TEXT).strip(),
        source_channel=read_text(checks, "source_channel", source_channel, LONGEST_TEXT).strip(),
        key=secrets.token_urlsafe(18),
    )
    checks.raise_if_any()
    work.forms.add(form)
    work.audit("create", "lead_form", form.id)
    return form


def submit_form(work: Work, form_id: UUID, key: str, draft: LeadDraft, submission_id: UUID | None) -> UUID:
    """Keeps a filled-in form; answers its id. The same submission sent again has no second effect.

    Raises LeadFormNotFound, also for a wrong key, and Invalid.
    """
    form = work.forms.get(form_id)
    if form is None or not hmac.compare_digest(form.key.encode(), key.encode()):
        raise LeadFormNotFound
    checks = Checks()
    draft = read_lead(replace(draft, source_channel=form.source_channel), checks)
    checks.raise_if_any()
    submission = Submission(submission_id or new_id(), form.id, draft)
    if work.forms.keep(submission):
        work.audit("submit", "lead_form", form.id, submission_id=str(submission.id))
        work.defer(RESOLVE_FORMS)
    return submission.id


def resolve_form(work: Work, people: People, submission_id: UUID) -> bool:
    """Makes a lead of a kept form, once; the form is forgotten then. False when there is nothing to do.

    Raises CustomersUnreachable, and whatever says that it can be no lead.
    """
    submission = work.forms.lend(submission_id)
    if submission is None:
        return False
    take_lead(work, people, submission.draft, request_id=submission.id)
    work.forms.forget(submission.id)
    return True


def refuse_form(work: Work, submission_id: UUID, reason: str) -> None:
    """Keeps the form for a while, out of the way of the others."""
    work.forms.refuse(submission_id, reason)
    work.audit("refuse", "lead_form_submission", submission_id, reason=reason)


def forget_refused(work: Work, days: int, limit: int) -> list[UUID]:
    """Removes forms that were refused more than `days` ago; answers whose keys must go."""
    gone = work.forms.forget_refused(work.now - timedelta(days=days), limit)
    if gone:
        work.audit("forget", "lead_form_submission", "", rows=len(gone))
    return gone
