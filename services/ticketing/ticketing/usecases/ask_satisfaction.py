"""A closed ticket asks the customer how satisfied they are, and hears their answer (T-17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from kernel.pure.ids import new_id
from ticketing.domain.errors import SurveyNotFound
from ticketing.domain.events import SurveyAnswered
from ticketing.domain.survey import Reply, Survey
from ticketing.domain.ticket import Ticket
from ticketing.usecases.ports import SEND_SURVEY, Work


def ask_satisfaction(work: Work, ticket: Ticket) -> None:
    """Asks whoever can be reached, once a ticket."""
    days = work.rule_books.current().survey_days
    if not days or not (ticket.words.requester_email or ticket.customer_id):
        return
    ends_at = work.now + timedelta(days=days)
    survey = Survey(new_id(), ticket.id, ticket.customer_id, ticket.subject_id, ends_at)
    if work.surveys.add(survey):
        work.defer(SEND_SURVEY, survey_id=survey.id)


def answer_survey(work: Work, survey_id: UUID, reply: Reply) -> Survey:
    """Raises SurveyNotFound, SurveyAnsweredBefore or Invalid."""
    survey = work.surveys.lend(survey_id)
    if survey is None:
        raise SurveyNotFound
    survey.answer(work.now, replace(reply, comment=reply.comment.replace("\r\n", "\n").strip()))
    work.surveys.save(survey)
    for kind, score in survey.scores.items():
        work.record(SurveyAnswered(survey.id, survey.ticket_id, survey.customer_id, kind, score, work.now))
    work.audit("answer", "survey", survey.id, ticket=str(survey.ticket_id))
    return survey
