"""crm.sales.v1.LeadFormService"""

from __future__ import annotations

from typing import Any

from crm.sales.v1 import lead_service_pb2 as rpc
from kernel.pure.ids import parse_id
from kernel.rpc.call import Call
from sales import metrics
from sales.api.lead_translate import contact_draft
from sales.domain.errors import TooManySubmissions
from sales.domain.lead import LeadDraft
from sales.store import lead_queries as queries
from sales.usecases.take_forms import create_form, submit_form
from sales.wiring import SalesApp

_MINUTE = 60.0


class LeadFormServicer:
    def __init__(self, app: SalesApp) -> None:
        self._app = app

    def create_lead_form(self, request: rpc.CreateLeadFormRequest, call: Call) -> rpc.LeadForm:
        form = create_form(call.work, request.title, request.source_channel)
        return _message(form, call.open_work.now)

    def list_lead_forms(self, request: rpc.ListLeadFormsRequest, call: Call) -> rpc.ListLeadFormsResponse:
        rows = queries.list_forms(self._app.reader)
        return rpc.ListLeadFormsResponse(forms=[_message(row, row.created_at) for row in rows])

    def submit_lead_form(self, request: rpc.SubmitLeadFormRequest, call: Call) -> rpc.SubmitLeadFormResponse:
        count, left = self._app.counters.hit(f"form:{call.address}", _MINUTE)
        if count > self._app.settings.forms_a_minute:
            refused = TooManySubmissions()
            refused.retry_after = left
            raise refused
        given = request.submission_id
        submission_id = submit_form(
            call.work,
            parse_id(request.form_id, "form_id"),
            request.form_key,
            LeadDraft(
                # The form's own, whatever a page says.
                source_channel="",
                industry=request.industry,
                province=request.province,
                city=request.city,
                requirement=request.requirement,
                contact=contact_draft(request.contact),
            ),
            parse_id(given, "submission_id") if given else None,
        )
        metrics.forms_submitted.inc()
        return rpc.SubmitLeadFormResponse(submission_id=str(submission_id))


def _message(form: Any, created_at: Any) -> rpc.LeadForm:
    """A form of the use case or a row of queries."""
    return rpc.LeadForm(
        id=str(form.id),
        title=form.title,
        source_channel=form.source_channel,
        key=form.key,
        create_time=created_at,
    )
