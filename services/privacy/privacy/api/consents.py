"""crm.privacy.v1.ConsentService"""

from __future__ import annotations

from uuid import UUID

from crm.privacy.v1 import consent_service_pb2 as rpc
from kernel.pure.errors import Checks, Invalid
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from privacy import metrics
from privacy.api.translate import CHANNELS, consent_message, event_message, said
from privacy.domain.consents import Channel, Proof, Said, Via
from privacy.domain.errors import SubjectUnknown
from privacy.store import queries
from privacy.usecases.record_consents import record_consents, withdraw
from privacy.wiring import PrivacyApp

# Names persons in the ledger.
_SUBJECT = "consent_subject"


class ConsentServicer:
    def __init__(self, app: PrivacyApp) -> None:
        self._app = app

    def record_consents(self, request: rpc.RecordConsentsRequest, call: Call) -> rpc.RecordConsentsResponse:
        checks, drafts = Checks(), list[Said]()
        for index, message in enumerate(request.events):
            try:
                drafts.append(said(message, call.work.now))
            except Invalid as error:
                checks.found += error.within(f"events[{index}]").violations
        checks.raise_if_any()
        recorded = record_consents(call.work, drafts)
        for one in recorded:
            metrics.consents_recorded.labels(one.purpose_id, one.state.value).inc()
        return rpc.RecordConsentsResponse(event_ids=[str(one.id) for one in recorded])

    def withdraw_consent(self, request: rpc.WithdrawConsentRequest, call: Call) -> rpc.Consent:
        subject_id = parse_id(request.subject_id, "subject_id")
        channel = CHANNELS.get(request.channel, Channel.ALL)
        one = withdraw(call.work, subject_id, request.purpose_id, channel, Via.API, Proof())
        metrics.consents_recorded.labels(one.purpose_id, one.state.value).inc()
        [row] = [
            row
            for row in queries.get_consents(call.work.reader, [subject_id], call.work.now)
            if (row.purpose_id, row.channel) == (one.purpose_id, one.channel.value)
        ]
        return consent_message(row, subject_id)

    def get_consents(self, request: rpc.GetConsentsRequest, call: Call) -> rpc.GetConsentsResponse:
        subject_id = parse_id(request.subject_id, "subject_id")
        rows = queries.get_consents(self._app.reader, self._ids(subject_id, call), self._app.clock.now())
        call.viewed("consents", [subject_id])
        return rpc.GetConsentsResponse(consents=[consent_message(row, subject_id) for row in rows])

    def list_consent_events(
        self, request: rpc.ListConsentEventsRequest, call: Call
    ) -> rpc.ListConsentEventsResponse:
        size = page_size(request.page_size)
        subject_id = parse_id(request.subject_id, "subject_id")
        query = ("ListConsentEvents", call.principal.id, subject_id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        ids = self._ids(subject_id, call)
        refs = dict(zip(self._app.blind.tokens(_SUBJECT, map(str, ids)), ids, strict=True))
        after = UUID(cursor[0]) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_consent_events(self._app.reader, list(refs), after, size + 1)
        page = rows[:size]
        call.viewed("consents", [subject_id])
        response = rpc.ListConsentEventsResponse(
            events=[event_message(row, refs[bytes(row.subject_ref)]) for row in page]
        )
        if len(rows) > size:
            response.next_page_token = self._app.page_tokens.seal(query, [str(page[-1].id)])
        return response

    def get_consent_coverage(self, request: rpc.GetConsentCoverageRequest, call: Call) -> rpc.ConsentCoverage:
        row = queries.coverage(self._app.reader, self._app.clock.now())
        percent = f"{100 * row.covered / row.subjects:.2f}" if row.subjects else "100.00"
        return rpc.ConsentCoverage(subjects=row.subjects, covered=row.covered, percent=percent)

    def _ids(self, subject_id: UUID, call: Call) -> list[UUID]:
        ids = queries.ids_of_person(self._app.reader, call.principal, subject_id)
        if ids is None:
            raise SubjectUnknown
        return ids
