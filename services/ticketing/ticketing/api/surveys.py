"""crm.ticketing.v1.SurveyService: anyone may call; the signed code is what they must hold."""

from __future__ import annotations

from crm.ticketing.v1 import survey_service_pb2 as rpc
from kernel.rpc.call import Call
from ticketing import metrics
from ticketing.api.throttle import throttle
from ticketing.domain.errors import SurveyNotFound
from ticketing.domain.survey import Reply
from ticketing.usecases.ask_satisfaction import answer_survey
from ticketing.wiring import TicketingApp


class SurveyServicer:
    def __init__(self, app: TicketingApp) -> None:
        self._app = app

    def answer_survey(self, request: rpc.AnswerSurveyRequest, call: Call) -> rpc.AnswerSurveyResponse:
        throttle(self._app, call)
        survey_id = self._app.mail_tokens.survey_of(request.code)
        if survey_id is None:
            raise SurveyNotFound
        likelihood = request.likelihood if request.HasField("likelihood") else None
        answer_survey(call.work, survey_id, Reply(request.satisfaction, likelihood, request.comment))
        metrics.surveys_answered.inc()
        return rpc.AnswerSurveyResponse()
