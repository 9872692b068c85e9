"""What is told when campaigns and messages changed."""

from __future__ import annotations

from collections.abc import Sequence

from marketing.domain.campaign import Campaign
from marketing.domain.events import CampaignsChanged, ChangedCampaign, ChangedMessage, MessagesChanged
from marketing.domain.messages import Message
from marketing.usecases.ports import Work

_BATCH = 500


def tell_campaign(work: Work, campaign: Campaign) -> None:
    """Its state now."""
    work.record(
        CampaignsChanged(
            (
                ChangedCampaign(
                    campaign_id=campaign.id,
                    version=campaign.version,
                    status=campaign.status.value,
                    group_id=campaign.group_id,
                    purpose=campaign.purpose,
                    channel=campaign.channel.value,
                ),
            )
        )
    )


def tell_messages(work: Work, messages: Sequence[Message], campaign: Campaign) -> None:
    """The states now of messages of a campaign, up to 500 in one event."""
    told = [
        ChangedMessage(
            message_id=message.id,
            version=message.version,
            campaign_id=message.campaign_id,
            customer_id=message.customer_id,
            channel=campaign.channel.value,
            state=message.state.value,
            sent_at=message.sent_at,
            opened_at=message.opened_at,
            clicked_at=message.clicked_at,
            purpose=campaign.purpose,
            consent_id=message.consent_id,
            attempted_at=message.attempted_at,
        )
        for message in messages
    ]
    for start in range(0, len(told), _BATCH):
        work.record(MessagesChanged(tuple(told[start : start + _BATCH])))
