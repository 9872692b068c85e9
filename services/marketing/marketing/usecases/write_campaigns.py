"""Campaigns are written, started, paused, resumed and cancelled."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from kernel.pure.errors import StaleEtag
from kernel.pure.ids import new_id
from marketing.domain.campaign import Campaign, Draft, check_draft
from marketing.usecases.ports import SEND, Work
from marketing.usecases.tell import tell_campaign

# The draft that is wanted, made from the campaign that stands.
Rewrite = Callable[[Campaign], Draft]


def create_campaign(work: Work, draft: Draft) -> Campaign:
    """A draft; nothing is sent. Raises Invalid."""
    channel = check_draft(draft)
    campaign = Campaign(
        id=new_id(),
        version=1,
        title=draft.title.strip(),
        group_id=draft.group_id,
        purpose=draft.purpose,
        channel=channel,
        content=draft.content,
        created_at=work.now,
    )
    work.campaigns.add(campaign)
    work.audit("create", "campaign", campaign.id)
    tell_campaign(work, campaign)
    return campaign


def update_campaign(work: Work, campaign_id: UUID, version: int | None, rewrite: Rewrite) -> Campaign:
    """A draft as `rewrite` makes it from the one that stands. Raises CampaignNotFound, StaleEtag when it
    is not at `version`, CampaignMoved and Invalid."""
    campaign = _lend(work, campaign_id, version)
    return _keep(work, campaign.written(rewrite(campaign)), "update")


def start_campaign(work: Work, campaign_id: UUID, version: int | None) -> Campaign:
    """Its group's members are written down from now on, and written to. Raises like update_campaign."""
    campaign = _keep(work, _lend(work, campaign_id, version).start(work.now), "start")
    work.defer(SEND)
    return campaign


def pause_campaign(work: Work, campaign_id: UUID) -> Campaign:
    """What is leaving the house at this moment still leaves it. Raises CampaignNotFound, CampaignMoved."""
    return _keep(work, work.campaigns.lend(campaign_id).pause(), "pause")


def resume_campaign(work: Work, campaign_id: UUID) -> Campaign:
    """Raises CampaignNotFound, CampaignMoved."""
    campaign = _keep(work, work.campaigns.lend(campaign_id).resume(), "resume")
    work.defer(SEND)
    return campaign


def cancel_campaign(work: Work, campaign_id: UUID) -> Campaign:
    """What waits is skipped. Raises CampaignNotFound, CampaignMoved."""
    campaign = _keep(work, work.campaigns.lend(campaign_id).cancel(work.now), "cancel")
    work.messages.skip_waiting(campaign_id, "CAMPAIGN_CANCELLED")
    return campaign


def _lend(work: Work, campaign_id: UUID, version: int | None) -> Campaign:
    campaign = work.campaigns.lend(campaign_id)
    if version is not None and campaign.version != version:
        raise StaleEtag
    return campaign


def _keep(work: Work, campaign: Campaign, action: str) -> Campaign:
    work.campaigns.save(campaign)
    work.audit(action, "campaign", campaign.id)
    tell_campaign(work, campaign)
    return campaign
