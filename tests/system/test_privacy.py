"""What privacy promises, through the gateway: consent with proof, its coverage, erasure, and who did what."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    DeleteCustomerRequest,
    GetCustomerRequest,
    RevealCustomerRequest,
    UpdateCustomerRequest,
)
from crm.privacy.v1 import audit_service_pb2 as audit_rpc
from crm.privacy.v1 import consent_service_pb2 as consent_rpc
from crm.privacy.v1 import erasure_service_pb2 as erasure_rpc
from crm.privacy.v1.purpose_service_pb2 import Notice, PublishNoticeRequest
from crm_cli import audit, certificates_of_erasure
from crm_cli.client import Gateway, Refused, Session
from crm_cli.local.signing_keys import CERTIFICATES, pinned
from crm_cli.local.stack import StackInfo
from tests.system.behind import until

_SOON = 60.0  # seconds; events mostly need a fraction of one


def person(admin: Session, *emails: str) -> Customer:
    made = Customer(person=Person(full_name="欧阳晓雨", emails=emails), city="上海")
    request = CreateCustomerRequest(customer=made, request_id=str(uuid4()), allow_duplicate=True)
    customer: Customer = admin.call(admin.customers.CreateCustomer, request)
    return customer


def notice(admin: Session, major: bool = False) -> str:
    shown = Notice(purpose_id="marketing", text_zh="我们将向您推送优惠信息。", major=major)
    request = PublishNoticeRequest(notice=shown, request_id=str(uuid4()))
    return str(admin.call(admin.purposes.PublishNotice, request).id)


def grant(admin: Session, subject_id: str, notice_id: str, form: str = "register/7") -> None:
    event = consent_rpc.ConsentEvent(
        subject_id=subject_id,
        purpose_id="marketing",
        channel=consent_rpc.CHANNEL_EMAIL,
        state=consent_rpc.CONSENT_STATE_GRANTED,
        notice_id=notice_id,
        captured_via=consent_rpc.CAPTURED_VIA_WEB,
        proof=consent_rpc.Proof(form=form),
    )
    request = consent_rpc.RecordConsentsRequest(events=[event], request_id=str(uuid4()))
    admin.call(admin.consents.RecordConsents, request)


def covered(admin: Session) -> tuple[int, int]:
    answer = admin.call(admin.consents.GetConsentCoverage, consent_rpc.GetConsentCoverageRequest())
    return answer.subjects, answer.covered


@pytest.mark.feature("P-01")
def test_consent_is_explicit_names_what_was_shown_and_is_kept_as_proof(admin: Session) -> None:
    """The box ticked at registration; without the text that was shown, or without the form, it is none."""
    customer, shown = person(admin), notice(admin)
    for notice_id, form in (("", "register/7"), (shown, "")):
        with pytest.raises(Refused) as refused:
            grant(admin, customer.id, notice_id, form)
        assert refused.value.reason == "INVALID_FIELDS"
    grant(admin, customer.id, shown)
    request = consent_rpc.ListConsentEventsRequest(subject_id=customer.id)
    [event] = admin.call(admin.consents.ListConsentEvents, request).events
    assert (event.notice_id, event.proof.form) == (shown, "register/7")
    assert event.state == consent_rpc.CONSENT_STATE_GRANTED


@pytest.mark.feature("P-02")
def test_the_coverage_of_consent_is_measured_and_falls_with_every_withdrawal(admin: Session) -> None:
    shown = notice(admin)
    before, _ = covered(admin)
    one, other = person(admin), person(admin)
    until("both persons are known", lambda: covered(admin)[0] >= before + 2, _SOON)
    subjects, valid = covered(admin)
    grant(admin, one.id, shown)
    grant(admin, other.id, shown)
    assert covered(admin) == (subjects, valid + 2)
    request = consent_rpc.WithdrawConsentRequest(
        subject_id=one.id, purpose_id="marketing", request_id=str(uuid4())
    )
    admin.call(admin.consents.WithdrawConsent, request)
    assert covered(admin) == (subjects, valid + 1)
    notice(admin, major=True)
    # With the purpose changed, the other's consent counts no more either; some may have consents elsewhere.
    left = covered(admin)
    assert left[0] == subjects
    assert left[1] <= valid
    asked = consent_rpc.GetConsentsRequest(subject_id=other.id)
    assert [consent.valid for consent in admin.call(admin.consents.GetConsents, asked).consents] == [False]


@pytest.mark.feature("P-07")
def test_who_viewed_changed_and_deleted_a_customer_is_told_in_real_time(
    admin: Session, stack: StackInfo, tmp_path: Path
) -> None:
    customer = person(admin)
    admin.call(admin.customers.GetCustomer, GetCustomerRequest(id=customer.id))
    changed = Customer(id=customer.id, city="杭州")
    update = UpdateCustomerRequest(customer=changed, request_id=str(uuid4()))
    update.update_mask.paths.append("city")
    admin.call(admin.customers.UpdateCustomer, update)
    reveal = RevealCustomerRequest(id=customer.id, reason="回访客户")
    admin.call(admin.customers.RevealCustomer, reveal)
    admin.call(admin.customers.DeleteCustomer, DeleteCustomerRequest(id=customer.id, request_id=str(uuid4())))

    def told() -> dict[str, str]:
        request = audit_rpc.ListAuditEntriesRequest(filter=f'"{customer.id}" in object.ids')
        answer = admin.call(admin.audit.ListAuditEntries, request)
        return {one.entry.action: one.entry.actor_kind for one in answer.entries}

    wanted = {"create", "view:GetCustomer", "update", "reveal", "delete"}
    until("every deed is told", lambda: wanted <= set(told()), _SOON)
    assert {told()[action] for action in wanted} == {"user"}
    file = tmp_path / "customer.jsonl"
    assert audit.verify(stack, pinned(stack.name)) == 0
    another = pinned(stack.name) | {"customer": "00" * 32}
    assert audit.verify(stack, another) == 1
    assert audit.export(stack, "customer", file) >= len(wanted)
    assert audit.verify_file(file, None, pinned(stack.name)) == 0
    assert audit.verify_file(file, None, {}) == audit.UNPINNED
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([lines[0], *lines[2:]]), "utf-8")
    assert audit.verify_file(file, None, pinned(stack.name)) == 1


def test_a_person_is_erased_and_gets_a_certificate_that_anyone_can_check(
    admin: Session, gateway: Gateway, stack: StackInfo, tmp_path: Path
) -> None:
    address = f"{uuid4().hex}@example.com"
    customer = person(admin, address)
    grant(admin, customer.id, notice(admin))

    def requested() -> str:
        request = erasure_rpc.CreateErasureRequestRequest(subject_id=customer.id, request_id=str(uuid4()))
        try:
            return str(admin.call(admin.erasures.CreateErasureRequest, request).id)
        except Refused as refused:
            if refused.reason != "SUBJECT_UNKNOWN":
                raise
            return ""

    erasure_id = until("the person is known", requested, _SOON)
    verify = erasure_rpc.VerifyErasureRequestRequest(
        id=erasure_id, evidence="T-1024", request_id=str(uuid4())
    )
    admin.call(admin.erasures.VerifyErasureRequest, verify)
    asked = erasure_rpc.GetErasureRequestRequest(id=erasure_id)
    until(
        "the erasure is closed",
        lambda: admin.call(admin.erasures.GetErasureRequest, asked).state == erasure_rpc.ERASURE_STATE_CLOSED,
    )
    # Nobody writes there again, whoever turns up with that address.
    asked_of = {"channel": "CHANNEL_EMAIL", "address": address}
    found = gateway.json("POST", "/v1/suppressions:search", asked_of, admin.account.token())
    [held] = (found.body or {})["suppressions"]
    assert held["reason"] == "SUPPRESSION_REASON_ERASED"
    assert all(task.verified for task in admin.call(admin.erasures.GetErasureRequest, asked).tasks)
    request = erasure_rpc.GetErasureCertificateRequest(id=erasure_id)
    document = admin.call(admin.erasures.GetErasureCertificate, request).document
    file = tmp_path / "certificate.json"
    file.write_text(document, "utf-8")
    key = pinned(stack.name)[CERTIFICATES]
    assert certificates_of_erasure.verify(file, key) == 0
    altered = json.loads(document)
    altered["certificate"]["outcome"] = "nothing"
    file.write_text(json.dumps(altered), "utf-8")
    assert certificates_of_erasure.verify(file, key) == 1
