"""Surveys as rows, their comments sealed under the key of whose ticket it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.sealing import Sealer
from ticketing.domain.survey import Reply, Survey
from ticketing.store.queries import SURVEYS_SEALED_IN

_ADD = """
    insert into surveys (id, ticket_id, customer_id, kind, created_at, ends_at, delivery, sealed_for, version)
    values (%(id)s, %(ticket_id)s, %(customer_id)s, 'csat', %(now)s, %(ends_at)s, 'queued', %(subject_id)s, 1)
    on conflict (ticket_id, kind) where ticket_id is not null do nothing returning id
"""
# Whose it is, the ticket says: it may have become known since.
_LEND = """
    select s.id, s.ticket_id, t.customer_id, coalesce(t.customer_id, t.id) as subject_id, s.ends_at,
           s.answered_at, s.score, s.likelihood
    from surveys s join tickets t on t.id = s.ticket_id where s.id = %(id)s for update of s
"""
_SAVE = """
    update surveys
    set version = version + 1, answered_at = %(answered_at)s, score = %(satisfaction)s,
        likelihood = %(likelihood)s, customer_id = %(customer_id)s, sealed_for = %(subject_id)s,
        sealed = %(sealed)s
    where id = %(id)s
"""
_DELIVERED = "update surveys set delivery = %(delivery)s where id = %(id)s and delivery = 'queued'"
# Scores stay: how satisfied people were on the whole is nobody's data.
_ERASE = """
    update surveys
    set version = version + 1, sealed = null, ends_at = least(ends_at, %(now)s),
        delivery = case delivery when 'queued' then 'withheld' else delivery end
    where ticket_id = any(%(tickets)s) and (sealed is not null or answered_at is null and ends_at > %(now)s)
"""


class SurveyRepository:
    def __init__(self, session: Session, sealer: Sealer, now: datetime) -> None:
        self._connection = session.connection
        self._sealer = sealer
        self._now = now

    def add(self, survey: Survey) -> bool:
        """Keeps a survey that is to be sent; False when the ticket has one."""
        params = {**vars(survey), "now": self._now}
        return self._connection().exec_driver_sql(_ADD, params).first() is not None

    def lend(self, survey_id: UUID) -> Survey | None:
        """The survey, locked until the end of the transaction."""
        row = self._connection().exec_driver_sql(_LEND, {"id": survey_id}).first()
        if row is None:
            return None
        reply = None if row.answered_at is None else Reply(row.score, row.likelihood)
        return Survey(
            row.id, row.ticket_id, row.customer_id, row.subject_id, row.ends_at, row.answered_at, reply
        )

    def save(self, survey: Survey) -> None:
        """Keeps the answer, its comment sealed. Raises SubjectErased."""
        reply = survey.reply
        document = {"comment": reply.comment} if reply and reply.comment else None
        sealed = document and self._sealer.seal(SURVEYS_SEALED_IN, survey.id, survey.subject_id, document)
        params = {
            "id": survey.id,
            "customer_id": survey.customer_id,
            "subject_id": survey.subject_id,
            "answered_at": survey.answered_at,
            "satisfaction": reply and reply.satisfaction,
            "likelihood": reply and reply.likelihood,
            "sealed": sealed,
        }
        self._connection().exec_driver_sql(_SAVE, params)

    def delivered(self, survey_id: UUID, delivery: str) -> None:
        """Notes what became of the mail that asks: "sent", "failed", "no_address", "withheld"."""
        self._connection().exec_driver_sql(_DELIVERED, {"id": survey_id, "delivery": delivery})

    def erase_of(self, ticket_ids: Sequence[UUID]) -> int:
        """Comments go, and what was not answered can't be any more; answers how many surveys."""
        params = {"tickets": list(ticket_ids), "now": self._now}
        return self._connection().exec_driver_sql(_ERASE, params).rowcount
