"""Between the messages of crm.marketing.v1 and the domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from crm.marketing.v1 import campaign_pb2 as pb
from crm.marketing.v1 import suppression_service_pb2 as suppression_pb
from kernel.pure.errors import Invalid, Violation
from kernel.pure.ids import parse_id
from marketing.domain.campaign import Campaign, Channel, Draft, Status
from marketing.domain.content import Content
from marketing.domain.frequency import FrequencyCap
from marketing.domain.messages import State
from marketing.domain.suppression import Reason, Suppression

_CHANNELS: dict[int, Channel] = {pb.CHANNEL_EMAIL: Channel.EMAIL}
_CHANNEL_NAMES = {channel: f"CHANNEL_{channel.name}" for channel in Channel}
_STATUSES = {status: f"CAMPAIGN_STATUS_{status.name}" for status in Status}
_STATES = {state: f"MESSAGE_STATE_{state.name}" for state in State}
_STATE_NAMES = {pb.MessageState.Value(name): state.value for state, name in _STATES.items()}
_REASONS = {reason: f"SUPPRESSION_REASON_{reason.name}" for reason in Reason}
_REASON_NUMBERS = {suppression_pb.SuppressionReason.Value(name): reason for reason, name in _REASONS.items()}
_WRITABLE = ("title", "group_id", "purpose", "channel", "content", "content.subject", "content.body")


def draft(message: pb.Campaign) -> Draft:
    """What an author wrote. Raises Invalid for a group that is no id."""
    return Draft(
        title=message.title,
        group_id=parse_id(message.group_id, "campaign.group_id"),
        purpose=message.purpose,
        channel=channel_of(message.channel),
        content=Content(message.content.subject, message.content.body),
    )


def redraft(campaign: Campaign, message: pb.Campaign, mask: FieldMask) -> Draft:
    """The draft of a campaign with the fields of the mask, or all that are set when there is none, taken
    from `message`. Raises Invalid for a mask that names what can't be set."""
    for index, path in enumerate(mask.paths):
        if path not in _WRITABLE:
            raise Invalid.of(
                Violation(
                    f"update_mask.paths[{index}]",
                    "UNKNOWN_FIELD",
                    f"must be one of {', '.join(_WRITABLE)}",
                    f"必须是 {', '.join(_WRITABLE)} 之一",
                )
            )
    paths = mask.paths or [field.name for field, _ in message.ListFields() if field.name in _WRITABLE]
    changed = pb.Campaign(
        title=campaign.title,
        group_id=str(campaign.group_id),
        purpose=campaign.purpose,
        channel=_CHANNEL_NAMES[campaign.channel],
        content=pb.Content(subject=campaign.content.subject, body=campaign.content.body),
    )
    FieldMask(paths=paths).MergeMessage(message, changed, replace_message_field=True)
    return draft(changed)


def channel_of(number: int) -> Channel | None:
    """None for none, and for one of a later version of the contract."""
    return _CHANNELS.get(number)


def state_of(number: int) -> str:
    """The word for a state to list; "" for all. Raises Invalid for a number that is none."""
    if number and number not in _STATE_NAMES:
        raise Invalid.of(Violation("state", "UNKNOWN_VALUE", "must be a known state", "必须是已知的状态"))
    return _STATE_NAMES.get(number, "")


def campaign_message(campaign: Campaign, counts: Any | None = None) -> pb.Campaign:
    """`counts` is a row of queries.count_messages."""
    message = pb.Campaign(
        id=str(campaign.id),
        etag=str(campaign.version),
        title=campaign.title,
        group_id=str(campaign.group_id),
        purpose=campaign.purpose,
        channel=_CHANNEL_NAMES[campaign.channel],
        content=pb.Content(subject=campaign.content.subject, body=campaign.content.body),
        status=_STATUSES[campaign.status],
        waits_for=campaign.waits_for,
    )
    if counts is not None:
        message.counts.CopyFrom(pb.CampaignCounts(**counts._asdict()))
    _set(message.create_time, campaign.created_at)
    _set(message.start_time, campaign.started_at)
    _set(message.finish_time, campaign.finished_at)
    return message


def recipient_message(row: Any) -> pb.Message:
    """A recipient from a row of queries.list_messages."""
    message = pb.Message(
        id=str(row.id),
        campaign_id=str(row.campaign_id),
        customer_id=str(row.customer_id),
        state=_STATES[State(row.state)],
        reason=row.reason,
        consent_id=row.consent_id,
    )
    _set(message.send_time, row.sent_at)
    _set(message.open_time, row.opened_at)
    _set(message.click_time, row.clicked_at)
    _set(message.unsubscribe_time, row.unsubscribed_at)
    return message


def cap_message(cap: FrequencyCap) -> pb.FrequencyCap:
    return pb.FrequencyCap(
        channel=_CHANNEL_NAMES[cap.channel], messages=cap.messages, days=cap.days, version=cap.version
    )


def reason_of(number: int) -> Reason | None:
    """None for none, and for one of a later version of the contract."""
    return _REASON_NUMBERS.get(number)


def suppression_message(held: Suppression) -> suppression_pb.Suppression:
    message = suppression_pb.Suppression(
        id=str(held.id),
        channel=_CHANNEL_NAMES[held.channel],
        purpose=held.purpose,
        reason=_REASONS[held.reason],
        actor_id=held.actor_id,
    )
    _set(message.create_time, held.created_at)
    return message


def _set(field: Any, instant: datetime | None) -> None:
    if instant is not None:
        field.FromDatetime(instant)
