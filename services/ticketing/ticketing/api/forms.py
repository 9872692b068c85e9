"""crm.ticketing.v1.TicketFormService"""

from __future__ import annotations

from typing import Any

from crm.ticketing.v1 import form_service_pb2 as rpc
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call
from ticketing.api.throttle import throttle
from ticketing.store import queries
from ticketing.usecases.take_forms import Filled, create_form, submit_form
from ticketing.wiring import TicketingApp

_MOST_FORMS = 200


class TicketFormServicer:
    def __init__(self, app: TicketingApp) -> None:
        self._app = app

    def create_ticket_form(self, request: rpc.CreateTicketFormRequest, call: Call) -> rpc.TicketForm:
        form = create_form(call.work, request.title)
        return _message(form, call.open_work.now)

    def list_ticket_forms(
        self, request: rpc.ListTicketFormsRequest, call: Call
    ) -> rpc.ListTicketFormsResponse:
        rows = queries.list_forms(self._app.reader, _MOST_FORMS)
        return rpc.ListTicketFormsResponse(forms=[_message(row, row.created_at) for row in rows])

    def submit_ticket_form(
        self, request: rpc.SubmitTicketFormRequest, call: Call
    ) -> rpc.SubmitTicketFormResponse:
        throttle(self._app, call)
        given = request.submission_id
        submission_id = submit_form(
            call.work,
            parse_id(request.form_id, "form_id"),
            request.form_key,
            Filled(request.requester_name, request.requester_email, request.subject, request.content),
            parse_id(given, "submission_id") if given else None,
        )
        return rpc.SubmitTicketFormResponse(submission_id=str(submission_id))


def _message(form: Any, created_at: Any) -> rpc.TicketForm:
    """A form of the use case or a row of queries."""
    return rpc.TicketForm(id=str(form.id), title=form.title, key=form.key, create_time=created_at)
