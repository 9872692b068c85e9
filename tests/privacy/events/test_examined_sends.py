"""Whatever marketing says it sent is examined once; what might not go out is found, audited and counted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from crm.marketing.v1.events_pb2 import MessagesChanged
from kernel.bus.envelope import parse
from kernel.jobs.job import Running
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from privacy.domain.consents import Channel, Proof, Said, State, Via
from privacy.events.subscriptions import PrivacyEvents
from privacy.jobs.measure import measure
from privacy.usecases.record_consents import record_consents, withdraw
from privacy.usecases.register_purposes import publish_notice
from privacy.wiring import PrivacyApp
from tests.contracts.examples import example
from tests.privacy.conftest import NOON
from tests.privacy.people import merge, person

ITSELF = Principal.service("privacy")
MINUTE = timedelta(minutes=1)


def hear(app: PrivacyApp, **changed: Any) -> None:
    """The promised MessagesChanged, with some fields of its message changed, reaches its handler."""
    body = example("privacy", "crm.marketing.v1.MessagesChanged")
    body["data"]["messages"][0] |= changed
    envelope, event = parse(json.dumps(body), MessagesChanged)
    with app.work(ITSELF) as work:
        PrivacyEvents().examine_sends(work, event, envelope)


def sent(app: PrivacyApp, subject_id: UUID, consent_id: UUID | str, **changed: Any) -> None:
    """A new message was sent to somebody just now."""
    named = {"customerId": str(subject_id), "consentId": str(consent_id), "messageId": str(new_id())}
    hear(app, **named, attemptedAt=app.clock.now().isoformat(), **changed)


def consent(app: PrivacyApp, subject_id: UUID) -> UUID:
    """The event of the ledger by which somebody agrees to marketing by mail."""
    with app.work(ITSELF) as work:
        notice = publish_notice(work, "marketing", ("我们将向您推送优惠信息。", ""), major=False)
        given = Said(
            new_id(), subject_id, "marketing", Channel.EMAIL, State.GRANTED, work.now, Via.WEB,
            Proof(form="register/7"), notice.id,
        )  # fmt: skip
        [kept] = record_consents(work, [given])
    return kept.id


def found(app: PrivacyApp) -> list[str]:
    """Why messages might not go out."""
    return [row.fault for row in app.reader.rows("select fault from sends where fault <> '' order by 1")]


def alarm(app: PrivacyApp) -> float | None:
    measure(Running(app, 1, lambda: False))
    return REGISTRY.get_sample_value("sends_without_grant")


def test_what_was_sent_by_a_living_consent_raises_no_alarm(app: PrivacyApp, clock: FixedClock) -> None:
    subject_id = person(app)
    consent_id = consent(app, subject_id)
    clock.instant = NOON + MINUTE
    sent(app, subject_id, consent_id)
    assert (found(app), alarm(app)) == ([], 0)
    assert len(app.reader.rows("select from sends")) == 1


def test_what_was_sent_without_one_is_found_audited_and_counted(app: PrivacyApp) -> None:
    """Whatever let it go: no permit, a forged one, a program that asks nobody."""
    subject_id = person(app)
    sent(app, subject_id, "")
    sent(app, subject_id, new_id(), state="unknown")
    assert (found(app), alarm(app)) == (["NO_CONSENT", "NO_CONSENT"], 2)
    rows = app.reader.rows("select facts->>'why' as why from audit where action = 'find_unlawful_send'")
    assert rows == [("NO_CONSENT",)] * 2


def test_what_was_sent_after_a_withdrawal_is_found(app: PrivacyApp, clock: FixedClock) -> None:
    subject_id = person(app)
    consent_id = consent(app, subject_id)
    clock.instant = NOON + MINUTE
    with app.work(ITSELF) as work:
        withdraw(work, subject_id, "marketing", Channel.ALL, Via.WEB, Proof())
    sent(app, subject_id, consent_id)
    assert found(app) == []
    clock.instant += 2 * MINUTE
    sent(app, subject_id, consent_id)
    assert (found(app), alarm(app)) == (["WITHDRAWN"], 1)


def test_a_merged_person_is_one_person(app: PrivacyApp) -> None:
    survivor, absorbed, stranger = (person(app) for _ in range(3))
    consent_id = consent(app, absorbed)
    merge(app, absorbed, survivor)
    sent(app, survivor, consent_id)
    assert found(app) == []
    sent(app, stranger, consent_id)
    assert found(app) == ["NO_CONSENT"]


def test_a_message_is_examined_once(app: PrivacyApp) -> None:
    """What is told of it later, opened or clicked, is not judged by what the ledger says then."""
    for _ in range(2):
        hear(app)
    assert (found(app), alarm(app)) == (["NO_CONSENT"], 1)
    assert len(app.reader.rows("select from audit where action = 'find_unlawful_send'")) == 1


@pytest.mark.parametrize("state", ["skipped", "failed"])
def test_what_did_not_go_out_is_no_matter(app: PrivacyApp, state: str) -> None:
    hear(app, state=state, attemptedAt="")
    assert app.reader.rows("select from sends") == []


@pytest.mark.parametrize(
    "field", ["messageId", "campaignId", "customerId", "consentId", "attemptedAt", "channel"]
)
def test_a_value_that_is_none_is_for_the_dead_letters(app: PrivacyApp, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        hear(app, **{field: "nothing"})
    assert not refused.value.transient


def test_nobody_stands_in_what_is_kept(app: PrivacyApp) -> None:
    subject_id = person(app)
    sent(app, subject_id, "")
    for table in ("sends", "audit"):
        assert str(subject_id) not in str(app.reader.rows(f"select t::text as row from {table} t"))
