"""The steps by which a campaign reaches its recipients. Each is one transaction; a kill between two of them
sends nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from marketing.domain.campaign import Campaign, Status
from marketing.domain.messages import Message, State
from marketing.domain.suppression import Reason, forbidden
from marketing.usecases.ports import Work
from marketing.usecases.suppress_addresses import suppress
from marketing.usecases.tell import tell_campaign, tell_messages


@dataclass(frozen=True)
class Outcome:
    """What became of the attempt to send: `state` is SENT, FAILED, UNKNOWN, or WAITING when it surely did
    not leave the house. `bounced`: there is no such mailbox."""

    message_id: UUID
    state: State
    reason: str = ""
    bounced: bool = False


def write_down(work: Work, campaign_id: UUID, customer_ids: Sequence[UUID], after: str) -> Campaign:
    """A page of the audience; `after` is the cursor of the next page, "" after the last one."""
    campaign = work.campaigns.lend(campaign_id)
    if campaign.status is not Status.PREPARING:
        return campaign
    work.messages.address(campaign_id, customer_ids)
    campaign = campaign.prepared(after or None)
    work.campaigns.save(campaign)
    if campaign.status is Status.SENDING:
        tell_campaign(work, campaign)
    return campaign


def skip(work: Work, campaign: Campaign, reasons: Mapping[UUID, str]) -> None:
    """Does not send the waiting ones of these messages, for the reason of each."""
    skipped = [
        message.skipped(reasons[message.id])
        for message in work.messages.lend(reasons)
        if message.state is State.WAITING
    ]
    work.messages.save(skipped)
    tell_messages(work, skipped, campaign)


def settle(work: Work, campaign: Campaign, outcome: Outcome) -> None:
    """Keeps what became of an attempt."""
    for message in work.messages.lend([outcome.message_id]):
        if message.state is not State.ATTEMPTED:
            continue
        match outcome.state:
            case State.SENT:
                ended = message.sent(work.now)
            case State.FAILED:
                ended = message.failed(outcome.reason)
            case State.WAITING:
                ended = message.put_back()
            case _:
                ended = message.unknown(outcome.reason)
        work.messages.save([ended])
        if outcome.bounced and message.address is not None:
            suppress(work, campaign.channel, "", message.address, Reason.HARD_BOUNCE)
        if ended.state is not State.WAITING:
            tell_messages(work, [ended], campaign)


def claim(work: Work, campaign: Campaign, message_id: UUID, consent_id: str, address: str) -> bool:
    """Whether this message is to be sent now: it waits, its campaign goes on and has not written to the same
    human under another id, the cap allows one more, and its address is not suppressed.

    From the commit on it counts as attempted. Raises KeyringUnavailable.
    """
    if work.campaigns.get(campaign.id).status is not Status.SENDING:
        return False
    for message in work.messages.lend([message_id]):
        if message.state is not State.WAITING:
            return False
        cap, human = work.caps.of(campaign.channel), work.links.one_with(message.customer_id)
        attempts = work.messages.attempts(human, campaign.channel, cap.since(work.now))
        if work.messages.has_written_to(campaign.id, human):
            # Merged with somebody who was written to already.
            skip(work, campaign, {message.id: "MERGED"})
            return False
        if not cap.allows(attempts, work.now):
            skip(work, campaign, {message.id: "FREQUENCY_CAP"})
            return False
        hashed = work.suppressions.hash_of(address)
        if forbidden(work.suppressions.of(campaign.channel, hashed), campaign.purpose, consent_id):
            skip(work, campaign, {message.id: "SUPPRESSED"})
            return False
        work.messages.save([message.attempted(consent_id, hashed, work.now)])
        return True
    return False


def hold_up(work: Work, campaign_id: UUID, reason: str) -> None:
    """Says what a campaign waits for; "" when nothing is in the way any more."""
    campaign = work.campaigns.lend(campaign_id)
    changed = campaign.held_up(reason)
    if changed is not campaign and campaign.under_way:
        work.campaigns.save(changed)
        tell_campaign(work, changed)


def finish(work: Work, campaign_id: UUID) -> None:
    """Ends a campaign whose every message has come to its end."""
    campaign = work.campaigns.lend(campaign_id)
    if campaign.status is Status.SENDING and not work.messages.has_open(campaign_id):
        campaign = campaign.finish(work.now)
        work.campaigns.save(campaign)
        tell_campaign(work, campaign)


def give_up_abandoned(work: Work, before: datetime, limit: int) -> int:
    """Attempts that began before an instant and never ended were made by processes that died."""
    lost = [message.unknown("PROCESS_DIED") for message in work.messages.abandoned(before, limit)]
    work.messages.save(lost)
    by_campaign: dict[UUID, list[Message]] = {}
    for message in lost:
        by_campaign.setdefault(message.campaign_id, []).append(message)
    for campaign_id, messages in by_campaign.items():
        tell_messages(work, messages, work.campaigns.get(campaign_id))
    return len(lost)
