"""Consents by the api: recorded with proof, withdrawn in one call, seen by whom they concern."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from crm.privacy.v1 import consent_service_pb2 as rpc
from crm.privacy.v1 import purpose_service_pb2 as purposes
from kernel.jobs.timers import fire_due
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from privacy.jobs.expire_consents import expire_consents
from privacy.usecases.record_consents import EXPIRES
from privacy.wiring import PrivacyApp
from tests.privacy.conftest import NOON
from tests.privacy.people import customer, merge, officer, person
from tests.support.api import Api, Refused

OFFICER = officer()
CONSENTS = "crm.privacy.v1.ConsentService"
PURPOSES = "crm.privacy.v1.PurposeService"


def publish(api: Api, major: bool = False) -> str:
    notice = purposes.Notice(purpose_id="marketing", text_zh="我们将向您推送优惠信息。", major=major)
    answer = api.call(f"{PURPOSES}/PublishNotice", purposes.PublishNoticeRequest(notice=notice), OFFICER)
    return str(answer.id)


def grant(subject_id: UUID, notice_id: str, /, **changed: Any) -> rpc.ConsentEvent:
    fields: dict[str, Any] = {
        "subject_id": str(subject_id),
        "purpose_id": "marketing",
        "channel": rpc.CHANNEL_EMAIL,
        "state": rpc.CONSENT_STATE_GRANTED,
        "notice_id": notice_id,
        "captured_via": rpc.CAPTURED_VIA_WEB,
        "proof": rpc.Proof(form="register/7", network="203.0.113.77"),
    }
    return rpc.ConsentEvent(**{**fields, **changed})


def record(api: Api, *events: rpc.ConsentEvent, by: Principal = OFFICER) -> Any:
    return api.call(f"{CONSENTS}/RecordConsents", rpc.RecordConsentsRequest(events=events), by)


def withdraw(
    api: Api, subject_id: UUID, channel: int = rpc.CHANNEL_UNSPECIFIED, by: Principal = OFFICER
) -> Any:
    request = rpc.WithdrawConsentRequest(
        subject_id=str(subject_id),
        purpose_id="marketing",
        channel=channel,  # type: ignore[arg-type]
    )
    return api.call(f"{CONSENTS}/WithdrawConsent", request, by)


def wishes(api: Api, subject_id: UUID, by: Principal = OFFICER) -> list[tuple[int, int, bool]]:
    request = rpc.GetConsentsRequest(subject_id=str(subject_id))
    answer = api.call(f"{CONSENTS}/GetConsents", request, by)
    return [(one.channel, one.state, one.valid) for one in answer.consents]


def coverage(api: Api) -> tuple[int, int, str]:
    answer = api.call(f"{CONSENTS}/GetConsentCoverage", rpc.GetConsentCoverageRequest(), OFFICER)
    return answer.subjects, answer.covered, answer.percent


def test_a_grant_is_kept_with_its_proof_and_counts(api: Api, app: PrivacyApp) -> None:
    one, _ = person(app), person(app)
    record(api, grant(one, publish(api)))
    assert wishes(api, one) == [(rpc.CHANNEL_EMAIL, rpc.CONSENT_STATE_GRANTED, True)]
    request = rpc.ListConsentEventsRequest(subject_id=str(one))
    [event] = api.call(f"{CONSENTS}/ListConsentEvents", request, OFFICER).events
    assert (event.proof.form, event.proof.network) == ("register/7", "203.0.113.0/24")
    assert event.actor_id == OFFICER.id
    assert coverage(api) == (2, 1, "50.00")


def test_one_call_takes_every_channel_back(api: Api, app: PrivacyApp) -> None:
    one, notice = person(app), publish(api)
    record(api, grant(one, notice), grant(one, notice, channel=rpc.CHANNEL_SMS))
    app.clock.instant = NOON + timedelta(seconds=1)
    withdraw(api, one)
    assert not any(valid for _, _, valid in wishes(api, one))
    assert coverage(api) == (1, 0, "0.00")
    app.clock.instant = NOON + timedelta(seconds=2)
    record(api, grant(one, notice, channel=rpc.CHANNEL_SMS))
    assert [channel for channel, _, valid in wishes(api, one) if valid] == [rpc.CHANNEL_SMS]


def test_a_withdrawal_beats_a_grant_of_the_same_instant_whichever_comes_first(
    api: Api, app: PrivacyApp
) -> None:
    first, second, notice = person(app), person(app), publish(api)
    record(api, grant(first, notice))
    withdraw(api, first, rpc.CHANNEL_EMAIL)
    withdraw(api, second, rpc.CHANNEL_EMAIL)
    record(api, grant(second, notice))
    withdrawn = [(rpc.CHANNEL_EMAIL, rpc.CONSENT_STATE_WITHDRAWN, False)]
    assert wishes(api, first) == wishes(api, second) == withdrawn


def test_after_a_major_notice_everybody_must_be_asked_again(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    record(api, grant(one, publish(api)))
    publish(api)
    assert coverage(api)[1] == 1
    publish(api, major=True)
    assert coverage(api)[1] == 0
    assert wishes(api, one) == [(rpc.CHANNEL_EMAIL, rpc.CONSENT_STATE_GRANTED, False)]


def test_words_said_under_a_merged_id_are_the_persons_own(api: Api, app: PrivacyApp) -> None:
    absorbed, survivor, notice = person(app), person(app), publish(api)
    record(api, grant(survivor, notice))
    app.clock.instant = NOON + timedelta(seconds=1)
    withdraw(api, absorbed, rpc.CHANNEL_EMAIL)
    assert wishes(api, survivor)[0][2]
    merge(app, absorbed, survivor)
    withdrawn = [(rpc.CHANNEL_EMAIL, rpc.CONSENT_STATE_WITHDRAWN, False)]
    assert wishes(api, survivor) == wishes(api, absorbed) == withdrawn


def test_a_grant_for_a_time_ends_by_itself_and_is_told(api: Api, app: PrivacyApp, clock: FixedClock) -> None:
    one, notice = person(app), publish(api)
    ends = NOON + timedelta(days=30)
    record(
        api,
        grant(one, notice, expire_time=ends),
        grant(one, notice, channel=rpc.CHANNEL_SMS, expire_time=ends),
    )
    clock.instant = NOON + timedelta(days=1)
    withdraw(api, one, rpc.CHANNEL_SMS)
    clock.instant = ends
    assert fire_due(app, {EXPIRES: expire_consents}, now=ends) == 2
    states = {channel: state for channel, state, _ in wishes(api, one)}
    assert states == {
        rpc.CHANNEL_EMAIL: rpc.CONSENT_STATE_EXPIRED,
        rpc.CHANNEL_SMS: rpc.CONSENT_STATE_WITHDRAWN,
    }


def test_one_wrong_item_refuses_the_batch_and_is_named(api: Api, app: PrivacyApp) -> None:
    one, notice = person(app), publish(api)
    with pytest.raises(Refused) as refused:
        record(api, grant(one, notice), grant(one, notice, proof=rpc.Proof()), grant(one, ""))
    assert refused.value.fields == [
        ("events[1].proof", "PROOF_REQUIRED"),
        ("events[2].notice_id", "REQUIRED"),
    ]
    assert wishes(api, one) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"purpose_id": "espionage"}, "PURPOSE_NOT_FOUND"), ({"notice_id": str(new_id())}, "NOTICE_NOT_FOUND"),
     ({"purpose_id": "service"}, "NOTICE_NOT_FOUND")],
    ids=["unknown purpose", "unknown notice", "notice of another purpose"],
)  # fmt: skip
def test_nobody_agrees_to_what_was_not_shown(
    api: Api, app: PrivacyApp, changed: dict[str, str], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        record(api, grant(person(app), publish(api), **changed))
    assert refused.value.reason == reason


def test_sellers_reach_the_wishes_of_their_own_customers_only(api: Api, app: PrivacyApp) -> None:
    me = new_id()
    seller, mine, theirs, notice = (
        officer(Scope.OWN, me),
        person(app, me),
        person(app, new_id()),
        publish(api),
    )
    record(api, grant(mine, notice), by=seller)
    assert len(wishes(api, mine, by=seller)) == 1
    for attempt in (
        lambda: record(api, grant(theirs, notice), by=seller),
        lambda: record(api, grant(mine, notice), grant(theirs, notice), by=seller),
        lambda: wishes(api, theirs, by=seller),
        lambda: wishes(api, new_id(), by=seller),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.reason == "SUBJECT_UNKNOWN"


def test_customers_reach_their_own_wishes_only(api: Api, app: PrivacyApp) -> None:
    me, earlier, other, notice = person(app), person(app), person(app), publish(api)
    merge(app, earlier, me)
    record(api, grant(earlier, notice), grant(other, notice))
    for known_as in (me, earlier):
        own = customer(known_as)
        assert len(wishes(api, me, by=own)) == 1
        with pytest.raises(Refused) as refused:
            wishes(api, other, by=own)
        assert refused.value.reason == "SUBJECT_UNKNOWN"
    withdraw(api, me, by=customer(earlier))
    assert not any(valid for _, _, valid in wishes(api, me))
    with pytest.raises(Refused) as foreign:
        withdraw(api, other, by=customer(me))
    assert foreign.value.reason == "SUBJECT_UNKNOWN"


def test_a_rehearsal_leaves_nothing(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    request = rpc.RecordConsentsRequest(events=[grant(one, publish(api))], validate_only=True)
    assert len(api.call(f"{CONSENTS}/RecordConsents", request, OFFICER).event_ids) == 1
    assert wishes(api, one) == []


def test_the_history_is_read_page_by_page(api: Api, app: PrivacyApp) -> None:
    one, notice = person(app), publish(api)
    wanted = [record(api, grant(one, notice)).event_ids[0] for _ in range(5)]
    found: list[str] = []
    token = ""
    while True:
        request = rpc.ListConsentEventsRequest(subject_id=str(one), page_size=2, page_token=token)
        answer = api.call(f"{CONSENTS}/ListConsentEvents", request, OFFICER)
        found += [event.id for event in answer.events]
        token = answer.next_page_token
        if not token:
            break
    assert found == wanted[::-1]


@pytest.mark.parametrize(
    "what", ["update consent_events set state = 'granted'", "delete from consent_events"]
)
def test_the_ledger_is_only_added_to(api: Api, app: PrivacyApp, what: str) -> None:
    record(api, grant(person(app), publish(api)))
    with pytest.raises(DBAPIError) as refused, app.engine.begin() as connection:
        connection.exec_driver_sql(what)
    assert isinstance(refused.value.orig, psycopg.errors.RaiseException)


def test_the_ledger_does_not_name_the_person(api: Api, app: PrivacyApp) -> None:
    one = person(app)
    record(api, grant(one, publish(api)))
    [row] = app.reader.rows("select row_to_json(e)::text as whole from consent_events e")
    assert str(one) not in row.whole
    assert one.hex not in row.whole
