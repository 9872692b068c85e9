"""Campaigns: one message to every member of a group, from the draft to the last recipient (M-01, M-02)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from kernel.pure.errors import Checks
from marketing.domain.content import Content, check_content
from marketing.domain.errors import CampaignMoved

_LONGEST_TITLE = 200
_LONGEST_PURPOSE = 64


class Channel(Enum):
    EMAIL = "email"


class Status(Enum):
    DRAFT = "draft"
    # The members of its group are being written down.
    PREPARING = "preparing"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


# What may be wished of a campaign, in which status, and the status it has then.
_MOVES: Mapping[str, tuple[frozenset[Status], Status]] = {
    "started": (frozenset({Status.DRAFT}), Status.PREPARING),
    "paused": (frozenset({Status.PREPARING, Status.SENDING}), Status.PAUSED),
    "cancelled": (
        frozenset({Status.DRAFT, Status.PREPARING, Status.SENDING, Status.PAUSED}),
        Status.CANCELLED,
    ),
    "finished": (frozenset({Status.SENDING}), Status.FINISHED),
}


@dataclass(frozen=True)
class Draft:
    """What an author writes."""

    title: str
    group_id: UUID
    purpose: str
    channel: Channel | None
    content: Content


@dataclass(frozen=True)
class Campaign:
    """`audience_after` is where the writing down of the group's members goes on; None when it has ended."""

    id: UUID
    version: int
    title: str
    group_id: UUID
    purpose: str
    channel: Channel
    content: Content
    created_at: datetime
    status: Status = Status.DRAFT
    waits_for: str = ""
    audience_after: str | None = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def start(self, now: datetime) -> Campaign:
        """Raises CampaignMoved unless it is a draft."""
        return replace(self._moved("started"), started_at=now)

    def pause(self) -> Campaign:
        """Raises CampaignMoved unless it is under way."""
        return replace(self._moved("paused"), waits_for="")

    def resume(self) -> Campaign:
        """Goes on where it was paused. Raises CampaignMoved unless it is paused."""
        if self.status is not Status.PAUSED:
            raise CampaignMoved(status=self.status.value, wish="resumed")
        under_way = Status.SENDING if self.audience_after is None else Status.PREPARING
        return self._changed(status=under_way)

    def cancel(self, now: datetime) -> Campaign:
        """Raises CampaignMoved when it has ended already."""
        return replace(self._moved("cancelled"), finished_at=now, waits_for="")

    def finish(self, now: datetime) -> Campaign:
        """Raises CampaignMoved unless it is sending."""
        return replace(self._moved("finished"), finished_at=now, waits_for="")

    def prepared(self, after: str | None) -> Campaign:
        """Members up to the cursor `after` have been written down; all of them when it is None."""
        status = Status.SENDING if after is None else Status.PREPARING
        return self._changed(status=status, audience_after=after, waits_for="")

    def held_up(self, reason: str) -> Campaign:
        """It waits for something that is away ("" when nothing is in the way any more)."""
        return self if self.waits_for == reason else self._changed(waits_for=reason)

    def written(self, draft: Draft) -> Campaign:
        """The campaign as its author wants it now. Raises CampaignMoved unless it is a draft, and Invalid."""
        if self.status is not Status.DRAFT:
            raise CampaignMoved(status=self.status.value, wish="changed")
        channel = check_draft(draft)
        return self._changed(
            title=draft.title.strip(),
            group_id=draft.group_id,
            purpose=draft.purpose,
            channel=channel,
            content=draft.content,
        )

    @property
    def under_way(self) -> bool:
        return self.status in (Status.PREPARING, Status.SENDING)

    def _moved(self, wish: str) -> Campaign:
        allowed, status = _MOVES[wish]
        if self.status not in allowed:
            raise CampaignMoved(status=self.status.value, wish=wish)
        return self._changed(status=status)

    def _changed(self, **changes: object) -> Campaign:
        changed: Callable[..., Campaign] = replace
        return changed(self, version=self.version + 1, **changes)


def check_draft(draft: Draft) -> Channel:
    """The channel of a draft that can be sent as it is. Raises Invalid naming each wrong field."""
    checks = Checks()
    if not 1 <= len(draft.title.strip()) <= _LONGEST_TITLE:
        checks.refuse(
            "campaign.title",
            "LENGTH",
            f"must have 1 to {_LONGEST_TITLE} characters",
            "应有 1 至 200 个字符",
        )
    if not 1 <= len(draft.purpose) <= _LONGEST_PURPOSE:
        checks.refuse(
            "campaign.purpose", "REQUIRED", "must name the purpose consented to", "必须指明所同意的处理目的"
        )
    if draft.channel is None:
        checks.refuse("campaign.channel", "REQUIRED", "must name a channel", "必须指明渠道")
    check_content(draft.content, checks)
    checks.raise_if_any()
    assert draft.channel is not None
    return draft.channel
