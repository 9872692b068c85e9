"""Facts the marketing service tells; the fields are those of crm/marketing/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from kernel.pure import erasure
from kernel.pure.events import Event


@dataclass(frozen=True)
class ChangedMessage:
    """The state of one message after its change."""

    message_id: UUID
    version: int
    campaign_id: UUID
    customer_id: UUID
    channel: str
    state: str
    sent_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None
    purpose: str
    consent_id: str
    attempted_at: datetime | None


@dataclass(frozen=True)
class MessagesChanged(Event):
    """Up to 500 messages were sent, not sent, opened or clicked."""

    type: ClassVar[str] = "crm.marketing.v1.MessagesChanged"

    messages: tuple[ChangedMessage, ...]


@dataclass(frozen=True)
class RecipientUnsubscribed(Event):
    """The proof is the message whose link was used."""

    type: ClassVar[str] = "crm.marketing.v1.RecipientUnsubscribed"

    customer_id: UUID
    purpose: str
    channel: str
    message_id: UUID
    at: datetime

    @property
    def subject(self) -> str:
        return str(self.customer_id)


@dataclass(frozen=True)
class ChangedCampaign:
    """The state of one campaign after its change."""

    campaign_id: UUID
    version: int
    status: str
    group_id: UUID
    purpose: str
    channel: str


@dataclass(frozen=True)
class CampaignsChanged(Event):
    """Up to 500 campaigns were created or changed."""

    type: ClassVar[str] = "crm.marketing.v1.CampaignsChanged"

    campaigns: tuple[ChangedCampaign, ...]


@dataclass(frozen=True)
class SubjectErased(erasure.Receipt):
    """What was held of a person is gone."""

    type: ClassVar[str] = "crm.marketing.v1.SubjectErased"
