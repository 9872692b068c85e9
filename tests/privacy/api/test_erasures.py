"""Erasures by the api: from the request to the certificate."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import subject_service_pb2 as subject_rpc
from crm.marketing.v1 import subject_service_pb2 as marketing_rpc
from crm.privacy.v1 import erasure_service_pb2 as rpc
from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectErased
from crm.ticketing.v1 import subject_service_pb2 as ticketing_rpc
from crm_cli import certificates_of_erasure
from kernel.bus.envelope import parse
from kernel.jobs.job import Running
from kernel.jobs.timers import fire_due
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.pure.signing import Signer
from kernel.rpc.channel import PeerRefused
from privacy.domain import certificates
from privacy.domain import erasure as rules
from privacy.domain.consents import Channel, Proof, Via
from privacy.domain.erasure import TRIES
from privacy.domain.errors import SubjectUnknown
from privacy.events.subscriptions import PrivacyEvents
from privacy.jobs.erase_subjects import (
    alarm_erasures,
    begin_erasure,
    confirm_erasure,
    end_holds,
    watch_erasures,
)
from privacy.usecases.erase_subjects import ALARM, CONFIRM, WATCH
from privacy.usecases.hold_subjects import ENDS
from privacy.usecases.record_consents import withdraw
from privacy.wiring import PrivacyApp
from tests.privacy.conftest import NOON
from tests.privacy.people import customer, merge, officer, person
from tests.support.api import Api, Refused

OFFICER = officer()
ERASURES = "crm.privacy.v1.ErasureService"
ITSELF = Principal.service("privacy")
EVENTS = PrivacyEvents()
TIMERS = {WATCH: watch_erasures, ALARM: alarm_erasures, ENDS: end_holds}


class Neighbours:
    """Stands in for them: customer answers who a person is, ticketing and marketing note their addresses."""

    def __init__(self, *ids: UUID, removed: bool = False) -> None:
        self._ids = ids
        self.removed = removed
        self.noted: list[str] = []
        self.suppressed: list[str] = []

    def call(self, method: str, request: Any, timeout: float = 5.0) -> Any:
        if method == "crm.ticketing.v1.SubjectService/NoteAddresses":
            self.noted = list(request.emails)
            return ticketing_rpc.NoteAddressesResponse()
        if method == "crm.marketing.v1.SubjectService/NoteAddresses":
            self.suppressed = list(request.emails)
            return marketing_rpc.NoteAddressesResponse()
        assert method == "crm.customer.v1.SubjectService/ResolveSubject"
        if self.removed:
            raise PeerRefused("customer", "CUSTOMER_NOT_FOUND", "NOT_FOUND")
        ids = [str(one) for one in self._ids] or [request.customer_id]
        return subject_rpc.ResolveSubjectResponse(
            subject_ids=ids, survivor_id=ids[0], kind="person", emails=["wang@example.com"]
        )


def call(api: Api, method: str, request: Any, by: Principal = OFFICER) -> Any:
    return api.call(f"{ERASURES}/{method}", request, by)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service itself is the only participant here."""
    monkeypatch.setattr(rules, "PARTICIPANTS", ("privacy",))


def create(api: Api, subject_id: UUID, by: Principal = OFFICER) -> str:
    request = rpc.CreateErasureRequestRequest(subject_id=str(subject_id))
    return str(call(api, "CreateErasureRequest", request, by).id)


def verify(api: Api, erasure_id: str) -> None:
    request = rpc.VerifyErasureRequestRequest(id=erasure_id, evidence="ticket T-1024, called back")
    call(api, "VerifyErasureRequest", request)


def get(api: Api, erasure_id: str) -> Any:
    return call(api, "GetErasureRequest", rpc.GetErasureRequestRequest(id=erasure_id))


def begin(app: PrivacyApp, erasure_id: str, *ids: UUID, removed: bool = False) -> None:
    """The job runs, as often as it likes."""
    _run(app, begin_erasure, erasure_id, Neighbours(*ids, removed=removed))


def confirm(app: PrivacyApp, *ids: UUID, removed: bool = False) -> None:
    """The jobs that were deferred run, as often as they like; the person is known by these ids then."""
    deferred = app.reader.rows(
        "select args->>'erasure_id' as erasure_id from procrastinate_jobs where task_name = %s", (CONFIRM,)
    )
    for row in deferred:
        _run(app, confirm_erasure, row.erasure_id, Neighbours(*ids, removed=removed))


def _run(app: PrivacyApp, job_of: Any, erasure_id: str, peers: Neighbours) -> None:
    for _ in range(2):
        job_of(peers).run(Running(app, 1, lambda: False), erasure_id=erasure_id)
    assert peers.noted == peers.suppressed == ([] if peers.removed else ["wang@example.com"])


def carry(app: PrivacyApp) -> int:
    """Every order and receipt told so far reaches the service; how many there were."""
    handlers = {ErasureOrdered: EVENTS.erase_subjects, SubjectErased: EVENTS.take_own_receipt}
    carried = 0
    for message, handler in handlers.items():
        name = message.DESCRIPTOR.full_name
        rows = app.reader.rows("select seq, body from outbox where type = %s order by seq", (name,))
        for row in rows:
            envelope, event = parse(row.body, message)
            with app.work(ITSELF) as work:
                handler(work, event, envelope)
                work.session.connection().exec_driver_sql("delete from outbox where seq = %s", (row.seq,))
        carried += len(rows)
    return carried


def to_the_end(app: PrivacyApp, *ids: UUID, removed: bool = False) -> None:
    """Everything told arrives, and everything deferred is done."""
    while carry(app):
        confirm(app, *ids, removed=removed)


def erase(api: Api, app: PrivacyApp, subject_id: UUID, *ids: UUID, removed: bool = False) -> str:
    erasure_id = create(api, subject_id)
    verify(api, erasure_id)
    begin(app, erasure_id, *ids, removed=removed)
    to_the_end(app, *ids, removed=removed)
    return erasure_id


def told(app: PrivacyApp, event: str) -> list[dict[str, Any]]:
    rows = app.reader.rows(
        "select body from outbox where type = %s order by seq", (f"crm.privacy.v1.{event}",)
    )
    return [json.loads(row.body)["data"] for row in rows]


def test_customers_ask_for_their_own_erasure_only(api: Api, app: PrivacyApp) -> None:
    me, other = person(app), person(app)
    erasure_id = create(api, me, customer(me))
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_RECEIVED
    with pytest.raises(Refused) as refused:
        create(api, other, customer(me))
    assert refused.value.reason == "SUBJECT_UNKNOWN"


def test_a_person_is_erased_everywhere_and_gets_a_certificate(
    api: Api, app: PrivacyApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, stranger = person(app), person(app), person(app)
    merge(app, other, one)
    for somebody in (one, other, stranger):
        with app.work(ITSELF) as work:
            withdraw(work, somebody, "marketing", Channel.ALL, Via.WEB, Proof())
    erasure_id = erase(api, app, one, one, other)
    done = get(api, erasure_id)
    assert done.state == rpc.ERASURE_STATE_CLOSED
    [task] = done.tasks
    assert {row.table: row.rows for row in task.counts} == {
        "consents": 2, "persons": 2, "links": 1, "timers": 0, "answers": 0, "keys": 0,
    }  # fmt: skip
    assert task.verified
    assert [(kept.basis, kept.until, kept.rows) for kept in task.retained] == [
        ("consent_proof", "2029-06-29", 2)
    ]
    assert [row.subject_id for row in app.reader.rows("select subject_id from consents")] == [stranger]
    answer = call(api, "GetErasureCertificate", rpc.GetErasureCertificateRequest(id=erasure_id))
    file = tmp_path / "certificate.json"
    file.write_text(answer.document, "utf-8")
    with app.work(ITSELF) as work:
        public_key = work.certificates.public.hex()
    assert certificates_of_erasure.verify(file, public_key) == 0
    assert certificates_of_erasure.verify(file, None) == certificates_of_erasure.UNPINNED
    assert erasure_id in capsys.readouterr().out
    assert "consent_proof" in answer.text_zh
    assert "consent_proof" in answer.text_en
    # Seven days after it was closed: until then backups and files may outlive it.
    assert json.loads(answer.document)["certificate"]["unreadable_everywhere"] == "2026-07-07T04:00:00+00:00"
    assert "2026-07-07 04:00 UTC" in answer.text_zh
    assert "2026-07-07 04:00 UTC" in answer.text_en
    file.write_text(answer.document.replace('"persons": 2', '"persons": 3'), "utf-8")
    assert certificates_of_erasure.verify(file, public_key) == 1
    file.write_text(_forged(answer.document), "utf-8")
    assert certificates_of_erasure.verify(file, public_key) == 1
    assert certificates_of_erasure.verify(file, None) == certificates_of_erasure.UNPINNED


def _forged(document: str) -> str:
    """The same, signed by somebody with a key of their own, which they enclose."""
    forged, signer = json.loads(document), Signer(bytes(32), certificates.PURPOSE)
    signed = json.dumps(forged["certificate"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    forged |= {"key_id": signer.key_id, "public_key": signer.public.hex()}
    return json.dumps(forged | {"signature": signer.sign(signed.encode()).hex()})


def test_somebody_deleted_is_erased_too_with_all_whom_they_were_merged_with(
    api: Api, app: PrivacyApp
) -> None:
    """The customer service has removed them; others still hold what they hold."""
    one, other = person(app, deleted=True), person(app, deleted=True)
    merge(app, other, one)
    assert get(api, erase(api, app, one, removed=True)).state == rpc.ERASURE_STATE_CLOSED
    told_to_erase = told(app, "ErasureClosed")[-1]["subjectIds"]
    assert told_to_erase == sorted([str(one), str(other)])
    assert not app.reader.rows("select 1 from persons")


def test_who_was_merged_in_before_the_data_rested_is_erased_too(api: Api, app: PrivacyApp) -> None:
    one, late = person(app), person(app)
    erasure_id = create(api, one)
    verify(api, erasure_id)
    begin(app, erasure_id, one)
    to_the_end(app, one, late)
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_CLOSED
    assert told(app, "ErasureClosed")[-1]["subjectIds"] == sorted([str(one), str(late)])
    assert str(late) in {item["subjectId"] for item in told(app, "SubjectsRestricted")[-1]["subjects"]}
    assert not app.reader.rows("select 1 from persons")


def test_no_wish_is_recorded_of_the_erased(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    erase(api, app, one)
    with pytest.raises(SubjectUnknown), app.work(ITSELF) as work:
        withdraw(work, one, "marketing", Channel.ALL, Via.WEB, Proof())
    assert not app.reader.rows("select 1 from consents")


def test_the_data_rests_as_soon_as_the_request_is_verified(api: Api, app: PrivacyApp) -> None:
    one, other = person(app), person(app)
    erasure_id = create(api, one)
    assert not told(app, "SubjectsRestricted")
    verify(api, erasure_id)
    assert told(app, "SubjectsRestricted")[-1]["subjects"][0]["subjectId"] == str(one)
    begin(app, erasure_id, one, other)
    subjects = told(app, "SubjectsRestricted")[-1]["subjects"]
    assert {(item["subjectId"], item["version"]) for item in subjects} == {(str(one), 2), (str(other), 1)}
    assert told(app, "ErasureOrdered") == [
        {"requestId": erasure_id, "attempt": 1, "subjectIds": sorted([str(one), str(other)])}
    ]


def test_a_refused_request_lets_the_data_be_used_again(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    erasure_id = create(api, one)
    verify(api, erasure_id)
    request = rpc.RefuseErasureRequestRequest(
        id=erasure_id, code=rpc.REFUSAL_CODE_LEGAL_DUTY, reason="税务稽查期间依法留存"
    )
    assert call(api, "RefuseErasureRequest", request).state == rpc.ERASURE_STATE_REFUSED
    assert told(app, "SubjectsRestricted")[-1]["subjects"][0].get("restricted", False) is False
    assert told(app, "ErasureClosed")[-1]["outcome"] == "refused"
    begin(app, erasure_id, one)
    assert not told(app, "ErasureOrdered")


@pytest.mark.parametrize(
    ("missing", "said"), [("code", rpc.REFUSAL_CODE_UNSPECIFIED), ("code", 99), ("reason", "")]
)
def test_a_refusal_says_why(api: Api, app: PrivacyApp, missing: str, said: Any) -> None:
    fields: dict[str, Any] = {"code": rpc.REFUSAL_CODE_LEGAL_DUTY, "reason": "税务稽查", missing: said}
    request = rpc.RefuseErasureRequestRequest(id=create(api, person(app)), **fields)
    with pytest.raises(Refused) as refused:
        call(api, "RefuseErasureRequest", request)
    assert [field for field, _ in refused.value.fields] == [missing]


def test_evidence_that_would_be_kept_for_good_names_no_phone(api: Api, app: PrivacyApp) -> None:
    erasure_id = create(api, person(app))
    request = rpc.VerifyErasureRequestRequest(id=erasure_id, evidence="回拨13812345678核实")
    with pytest.raises(Refused) as refused:
        call(api, "VerifyErasureRequest", request)
    assert refused.value.fields == [("evidence", "PERSONAL_DATA")]


def test_a_hold_stands_against_erasing_and_not_against_rest(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    request = rpc.PlaceHoldRequest(subject_id=str(one), reason="litigation 2026-17", until="2026-07-10")
    hold = call(api, "PlaceHold", request)
    erasure_id = create(api, one)
    verify(api, erasure_id)
    begin(app, erasure_id, one)
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_HELD
    assert not told(app, "ErasureOrdered")
    assert told(app, "SubjectsRestricted")[-1]["subjects"][0]["restricted"]
    assert [one.id for one in call(api, "ListHolds", rpc.ListHoldsRequest()).holds] == [hold.id]
    # The day after its last one begins in Shanghai at 16:00 UTC.
    app.clock.instant = NOON + timedelta(days=10, hours=12)
    fire_due(app, {ENDS: end_holds}, now=app.clock.instant)
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_ERASING
    assert not call(api, "ListHolds", rpc.ListHoldsRequest()).holds


def test_a_lifted_hold_lets_the_request_go_on_and_can_not_be_lifted_twice(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    hold = call(api, "PlaceHold", rpc.PlaceHoldRequest(subject_id=str(one), reason="audit"))
    erasure_id = create(api, one)
    verify(api, erasure_id)
    begin(app, erasure_id, one)
    call(api, "LiftHold", rpc.LiftHoldRequest(id=hold.id))
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_ERASING
    with pytest.raises(Refused) as refused:
        call(api, "LiftHold", rpc.LiftHoldRequest(id=hold.id))
    assert refused.value.reason == "HOLD_NOT_FOUND"


def test_who_does_not_answer_is_told_again_then_fails_and_may_still_answer(api: Api, app: PrivacyApp) -> None:
    erasure_id = create(api, person(app))
    verify(api, erasure_id)
    begin(app, erasure_id)
    for _ in range(TRIES):
        app.clock.instant += timedelta(hours=1)
        fire_due(app, {WATCH: watch_erasures}, now=app.clock.instant)
    [task] = get(api, erasure_id).tasks
    assert task.state == rpc.TASK_STATE_FAILED
    assert [order["attempt"] for order in told(app, "ErasureOrdered")] == list(range(1, TRIES + 2))
    notes = app.reader.rows("select what, facts from erasure_log where what = 'failed'")
    assert [row.facts["service"] for row in notes] == ["privacy"]
    to_the_end(app)
    assert get(api, erasure_id).state == rpc.ERASURE_STATE_CLOSED


def test_an_open_request_raises_alarms_and_is_overdue_at_the_end(api: Api, app: PrivacyApp) -> None:
    late, closed = create(api, person(app)), erase(api, app, person(app))
    app.clock.instant = NOON + timedelta(days=15, seconds=1)
    fire_due(app, {ALARM: alarm_erasures}, now=app.clock.instant)
    alarms = app.reader.rows(
        "select erasure_id::text, facts from erasure_log where what = 'alarm' order by id"
    )
    assert [(row.erasure_id, row.facts["percent"]) for row in alarms] == [(late, 50), (late, 80), (late, 100)]
    assert get(api, late).overdue
    assert not get(api, closed).overdue


def test_one_request_a_person_is_open_at_a_time(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    create(api, one)
    with pytest.raises(Refused) as refused:
        create(api, one)
    assert refused.value.reason == "ERASURE_OPEN"


def test_sellers_open_requests_for_their_own_customers_only(api: Api, app: PrivacyApp) -> None:
    me = new_id()
    seller = officer(Scope.OWN, me)
    assert create(api, person(app, me), seller)
    for somebody in (person(app, new_id()), new_id()):
        with pytest.raises(Refused) as refused:
            create(api, somebody, seller)
        assert refused.value.reason == "SUBJECT_UNKNOWN"


def test_requests_are_listed_newest_first_and_open_ones_by_themselves(api: Api, app: PrivacyApp) -> None:
    closed = erase(api, app, person(app))
    open_ones = [create(api, person(app)) for _ in range(3)]
    pages, token = [], ""
    while True:
        request = rpc.ListErasureRequestsRequest(page_size=2, page_token=token)
        answer = call(api, "ListErasureRequests", request)
        pages += [one.id for one in answer.requests]
        token = answer.next_page_token
        if not token:
            break
    assert pages == [*reversed(open_ones), closed]
    only_open = call(api, "ListErasureRequests", rpc.ListErasureRequestsRequest(open=True)).requests
    assert [one.id for one in only_open] == open_ones[::-1]


def test_there_is_no_certificate_before_the_end(api: Api, app: PrivacyApp) -> None:
    with pytest.raises(Refused) as refused:
        call(api, "GetErasureCertificate", rpc.GetErasureCertificateRequest(id=create(api, person(app))))
    assert refused.value.reason == "ERASURE_NOT_IN_STATE"
    with pytest.raises(Refused) as refused:
        get(api, str(new_id()))
    assert refused.value.reason == "ERASURE_NOT_FOUND"
