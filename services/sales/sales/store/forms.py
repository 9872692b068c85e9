"""Forms on web pages, and what was filled in, sealed under a key of its own until it is a lead."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.sealing import Sealer
from sales.domain.lead import Contact, LeadDraft
from sales.usecases.ports import Form, Submission

_SEALED_IN = "submissions"
_ADD = """
    insert into lead_forms (id, title, source_channel, key, created_at)
    values (%(id)s, %(title)s, %(source_channel)s, %(key)s, %(now)s)
"""
_GET = "select id, title, source_channel, key from lead_forms where id = %(id)s"
_SEEN = """
    insert into submissions_seen (id, received_at) values (%(id)s, %(now)s)
    on conflict do nothing returning id
"""
_KEEP = """
    insert into submissions (id, form_id, sealed, received_at)
    values (%(id)s, %(form_id)s, %(sealed)s, %(now)s)
"""
_WAITING = """
    select id from submissions where refused_at is null order by received_at, id limit %(limit)s
"""
_LEND = """
    select id, form_id, sealed from submissions where id = %(id)s and refused_at is null
    for update skip locked
"""
_REFUSE = """
    update submissions set refused_for = %(reason)s, refused_at = %(now)s
    where id = %(id)s and refused_at is null
"""
_FORGET_REFUSED = """
    delete from submissions where id in (
        select id from submissions where refused_at < %(before)s
        order by refused_at limit %(limit)s for update skip locked
    ) returning id
"""
_FORGET = "delete from submissions where id = %(id)s"


class FormRepository:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._run = session.connection
        self._sealer = sealer
        self._now = now

    def add(self, form: Form) -> None:
        self._run().exec_driver_sql(_ADD, {**vars(form), "now": self._now})

    def get(self, form_id: UUID) -> Form | None:
        row = self._run().exec_driver_sql(_GET, {"id": form_id}).first()
        return Form(row.id, row.title, row.source_channel, row.key) if row is not None else None

    def keep(self, submission: Submission) -> bool:
        """Stores a submission sealed; False when it came before."""
        known = {"id": submission.id, "now": self._now}
        if self._run().exec_driver_sql(_SEEN, known).first() is None:
            return False
        document = asdict(submission.draft)
        sealed = self._sealer.seal(_SEALED_IN, submission.id, submission.id, document)
        self._run().exec_driver_sql(_KEEP, {**known, "form_id": submission.form_id, "sealed": sealed})
        return True

    def waiting(self, limit: int) -> list[UUID]:
        """The oldest submissions that were not refused."""
        return list(self._run().exec_driver_sql(_WAITING, {"limit": limit}).scalars())

    def lend(self, submission_id: UUID) -> Submission | None:
        """A submission, locked; None when it is a lead by now or another transaction is at it."""
        row = self._run().exec_driver_sql(_LEND, {"id": submission_id}).first()
        if row is None:
            return None
        document = self._sealer.open(_SEALED_IN, row.id, row.id, row.sealed)
        if document is None:
            # Its key was destroyed when it had become a lead: the row came back with a backup.
            self.forget(submission_id)
            return None
        contact = document["contact"]
        told = Contact(
            contact["full_name"], tuple(contact["phones"]), tuple(contact["emails"]), contact["company_name"]
        )
        return Submission(row.id, row.form_id, LeadDraft(**{**document, "contact": told}))

    def forget(self, submission_id: UUID) -> None:
        """Removes a submission; its key is destroyed by whoever commits."""
        self._run().exec_driver_sql(_FORGET, {"id": submission_id})

    def refuse(self, submission_id: UUID, reason: str) -> None:
        """Notes why a submission can be no lead."""
        self._run().exec_driver_sql(_REFUSE, {"id": submission_id, "reason": reason, "now": self._now})

    def forget_refused(self, before: datetime, limit: int) -> list[UUID]:
        """Removes submissions that were refused before an instant; their keys are destroyed by the caller."""
        params = {"before": before, "limit": limit}
        return list(self._run().exec_driver_sql(_FORGET_REFUSED, params).scalars())
