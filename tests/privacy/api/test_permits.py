"""Permits: who may be reached gets one, everybody else a reason."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from crm.privacy.v1 import consent_service_pb2 as channels
from crm.privacy.v1 import permit_service_pb2 as rpc
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.pure.permits import verify
from kernel.rpc.call import Call
from kernel.sql import subjects
from privacy.api.permits import PermitServicer
from privacy.domain.consents import Channel, Proof, Said, State, Via
from privacy.domain.errors import PurposeNotFound
from privacy.usecases.record_consents import record_consents
from privacy.usecases.register_purposes import publish_notice
from privacy.wiring import PrivacyApp
from tests.privacy.conftest import NOON
from tests.privacy.people import merge

MARKETING = Principal.service("marketing")
CAMPAIGN = str(new_id())


def check(
    app: PrivacyApp, *subject_ids: UUID, purpose: str = "marketing", channel: int = channels.CHANNEL_EMAIL
) -> list[str]:
    """Of each subject the reason why not, or "" and then the permit is found to be true."""
    request = rpc.CheckSendRequest(
        campaign_id=CAMPAIGN,
        purpose=purpose,
        channel=channel,
        subject_ids=map(str, subject_ids),  # type: ignore[arg-type]
    )
    servicer = PermitServicer(app)
    with app.work(MARKETING) as work:
        call = Call(MARKETING, "en", "", lambda kind, ids: None, work)
        answer = servicer.check_send(request, call)
    heard = servicer.get_permit_keys(rpc.GetPermitKeysRequest(), call).keys
    keys = {key.key_id: bytes.fromhex(key.public_key) for key in heard}
    for subject_id, one in zip(subject_ids, answer.permits, strict=True):
        assert one.subject_id == str(subject_id)
        if one.token:
            permit = verify(one.token, keys, app.clock.now())
            assert (permit.subject_id, permit.campaign_id) == (str(subject_id), CAMPAIGN)
            assert permit.expires_at == app.clock.now() + timedelta(seconds=60)
    return [one.refusal for one in answer.permits]


def say(
    app: PrivacyApp,
    subject_id: UUID,
    state: State,
    channel: Channel = Channel.EMAIL,
    purpose: str = "marketing",
) -> None:
    """One second after whatever was said before."""
    app.clock.instant += timedelta(seconds=1)
    with app.work(Principal.service("privacy")) as work:
        notice_id = None
        if state is State.GRANTED:
            row = app.reader.row("select id from notices order by version desc limit 1")
            notice_id = row.id if row else publish_notice(work, purpose, ("告知", ""), major=False).id
        said = Said(
            new_id(), subject_id, purpose, channel, state, work.now, Via.WEB, Proof(form="f/1"), notice_id
        )
        record_consents(work, [said])


def test_only_a_grant_that_holds_opens_the_door(app: PrivacyApp) -> None:
    granted, refused, withdrawn, silent = (new_id() for _ in range(4))
    say(app, granted, State.GRANTED)
    say(app, refused, State.REFUSED)
    say(app, withdrawn, State.GRANTED)
    say(app, withdrawn, State.WITHDRAWN, Channel.ALL)
    assert check(app, granted, refused, withdrawn, silent) == ["", "REFUSED", "WITHDRAWN", "NO_CONSENT"]
    assert check(app, granted, channel=channels.CHANNEL_SMS) == ["NO_CONSENT"]


def test_a_word_on_all_channels_counts_for_each(app: PrivacyApp) -> None:
    one = new_id()
    say(app, one, State.WITHDRAWN, Channel.ALL)
    say(app, one, State.GRANTED, Channel.SMS)
    assert check(app, one, channel=channels.CHANNEL_SMS) == [""]
    assert check(app, one, channel=channels.CHANNEL_EMAIL) == ["WITHDRAWN"]


def test_the_withdrawal_of_a_merged_person_counts_whoever_is_asked_for(app: PrivacyApp) -> None:
    absorbed, survivor = new_id(), new_id()
    say(app, survivor, State.GRANTED)
    say(app, absorbed, State.WITHDRAWN)
    assert check(app, survivor) == [""]
    merge(app, absorbed, survivor)
    assert check(app, survivor, absorbed) == ["WITHDRAWN", "WITHDRAWN"]
    merge(app, absorbed, None, version=2)
    assert check(app, survivor) == [""]


def test_after_a_major_notice_a_grant_must_be_renewed(app: PrivacyApp) -> None:
    one = new_id()
    say(app, one, State.GRANTED)
    with app.work(Principal.service("privacy")) as work:
        publish_notice(work, "marketing", ("新的告知", ""), major=True)
    assert check(app, one) == ["TERMS_CHANGED"]


def test_what_rests_on_a_contract_needs_no_grant_and_may_be_objected_to(app: PrivacyApp) -> None:
    silent, objecting = new_id(), new_id()
    say(app, objecting, State.REFUSED, purpose="service")
    assert check(app, silent, objecting, purpose="service") == ["", "REFUSED"]


def test_restricted_and_erased_persons_are_out_of_reach(app: PrivacyApp) -> None:
    restricted, erased = new_id(), new_id()
    for one in (restricted, erased):
        say(app, one, State.GRANTED)
    with app.work(Principal.service("privacy")) as work:
        subjects.restrict(work.session, [(restricted, 1, True)])
        subjects.remember_erased(work, [erased], new_id())
    assert check(app, restricted, erased) == ["RESTRICTED", "ERASED"]


def test_next_months_key_is_known_before_it_signs(app: PrivacyApp) -> None:
    """And last month's while its permits may still be on their way."""
    servicer = PermitServicer(app)
    call = Call(MARKETING, "en", "", lambda kind, ids: None)

    def known() -> list[str]:
        return [key.key_id for key in servicer.get_permit_keys(rpc.GetPermitKeysRequest(), call).keys]

    june = known()
    app.clock.instant = NOON + timedelta(days=1)
    july = known()
    assert july[0] == june[1]
    assert july[2] == june[0]
    assert len({*june, *july}) == 4


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"purpose": "espionage"}, PurposeNotFound), ({"channel": channels.CHANNEL_ALL}, Invalid)],
)
def test_a_question_without_purpose_or_channel_is_none(
    app: PrivacyApp, changed: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        check(app, new_id(), **changed)  # type: ignore[arg-type]


def test_nobody_is_asked_for_means_nothing_is_answered(app: PrivacyApp) -> None:
    with pytest.raises(Invalid):
        check(app)
