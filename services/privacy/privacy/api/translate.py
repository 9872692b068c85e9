"""Between the messages of crm.privacy.v1 and what the use cases and queries know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from crm.privacy.v1 import consent_service_pb2 as rpc
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id, parse_id
from privacy.domain.consents import Channel, Proof, Said, State, Via, network_of

CHANNELS = {
    rpc.CHANNEL_ALL: Channel.ALL,
    rpc.CHANNEL_EMAIL: Channel.EMAIL,
    rpc.CHANNEL_SMS: Channel.SMS,
    rpc.CHANNEL_PHONE: Channel.PHONE,
    rpc.CHANNEL_WECHAT: Channel.WECHAT,
    rpc.CHANNEL_POST: Channel.POST,
}
_CHANNEL_NUMBER = {channel.value: number for number, channel in CHANNELS.items()}
_VIA = {
    rpc.CAPTURED_VIA_WEB: Via.WEB,
    rpc.CAPTURED_VIA_CALL: Via.CALL,
    rpc.CAPTURED_VIA_IMPORT: Via.IMPORT,
    rpc.CAPTURED_VIA_PAPER: Via.PAPER,
    rpc.CAPTURED_VIA_API: Via.API,
}
_VIA_NUMBER = {via.value: number for number, via in _VIA.items()}
_STATES = {rpc.ConsentState.Value(f"CONSENT_STATE_{state.name}"): state for state in State}
_STATE_NUMBER: Any = {state.value: number for number, state in _STATES.items()}


def said(message: rpc.ConsentEvent, now: datetime) -> Said:
    """Raises Invalid naming the fields that can't be read."""
    checks = Checks()
    for field, known, number in (
        ("channel", CHANNELS, message.channel),
        ("state", _STATES, message.state),
        ("captured_via", _VIA, message.captured_via or rpc.CAPTURED_VIA_API),
    ):
        if number not in known:
            checks.refuse(field, "REQUIRED", "must be one of the enum", "必须是枚举值之一")
    proof = Proof(
        form=message.proof.form,
        message_id=message.proof.message_id,
        recording_sha256=message.proof.recording_sha256,
        scan_sha256=message.proof.scan_sha256,
        network=network_of(message.proof.network, checks),
    )
    checks.raise_if_any()
    return Said(
        id=new_id(),
        subject_id=parse_id(message.subject_id, "subject_id"),
        purpose_id=message.purpose_id,
        channel=CHANNELS[message.channel],
        state=_STATES[message.state],
        effective_at=_instant(message, "effective_time") or now,
        via=_VIA[message.captured_via or rpc.CAPTURED_VIA_API],
        proof=proof,
        notice_id=parse_id(message.notice_id, "notice_id") if message.notice_id else None,
        separate=message.separate,
        expires_at=_instant(message, "expire_time"),
    )


def consent_message(row: Any, subject_id: UUID) -> rpc.Consent:
    """What a person wishes now, from a row of queries."""
    message = rpc.Consent(
        subject_id=str(subject_id),
        purpose_id=row.purpose_id,
        channel=_CHANNEL_NUMBER[row.channel],
        state=_STATE_NUMBER[row.state],
        valid=row.valid,
        event_id=str(row.event_id),
    )
    message.effective_time.FromDatetime(row.effective_at)
    if row.expires_at is not None:
        message.expire_time.FromDatetime(row.expires_at)
    return message


def event_message(row: Any, subject_id: UUID) -> rpc.ConsentEvent:
    """An event of the ledger, from a row of queries."""
    message = rpc.ConsentEvent(
        id=str(row.id),
        subject_id=str(subject_id),
        purpose_id=row.purpose_id,
        channel=_CHANNEL_NUMBER[row.channel],
        state=_STATE_NUMBER[row.state],
        notice_id=str(row.notice_id or ""),
        captured_via=_VIA_NUMBER.get(row.via, rpc.CAPTURED_VIA_UNSPECIFIED),
        proof=rpc.Proof(**row.proof),
        separate=row.separate,
        actor_id=row.actor_id,
    )
    message.effective_time.FromDatetime(row.effective_at)
    message.record_time.FromDatetime(row.recorded_at)
    if row.expires_at is not None:
        message.expire_time.FromDatetime(row.expires_at)
    return message


def _instant(message: rpc.ConsentEvent, field: str) -> datetime | None:
    if not message.HasField(field):  # type: ignore[arg-type]
        return None
    instant: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return instant
