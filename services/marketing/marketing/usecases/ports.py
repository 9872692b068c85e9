"""What the use cases need of the store, and of the world outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal
from marketing.domain.campaign import Campaign, Channel
from marketing.domain.frequency import FrequencyCap
from marketing.domain.messages import Message
from marketing.domain.suppression import Suppression

# The job that writes audiences down and sends.
SEND = "send_campaigns"


class Campaigns(Protocol):
    def add(self, campaign: Campaign) -> None: ...

    def get(self, campaign_id: UUID) -> Campaign:
        """Raises CampaignNotFound."""

    def lend(self, campaign_id: UUID) -> Campaign:
        """The campaign, locked until the transaction ends. Raises CampaignNotFound."""

    def save(self, campaign: Campaign) -> None:
        """Raises StaleEtag when another version stands in the store than the one before this."""

    def under_way(self) -> list[Campaign]:
        """Those that are preparing or sending, the oldest first."""


class Messages(Protocol):
    def address(self, campaign_id: UUID, customer_ids: Collection[UUID]) -> int:
        """A waiting message to each customer that has none yet in this campaign; how many were added."""

    def waiting(self, campaign_id: UUID, limit: int) -> list[Message]: ...

    def lend(self, message_ids: Collection[UUID]) -> list[Message]:
        """Those of the messages that exist, locked until the transaction ends."""

    def save(self, messages: Sequence[Message]) -> None: ...

    def attempts(self, customer_ids: Sequence[UUID], channel: Channel, since: datetime) -> list[datetime]:
        """When the human with these ids was written to on the channel. Nobody else asks for the same one
        and channel until the transaction ends."""

    def has_written_to(self, campaign_id: UUID, customer_ids: Sequence[UUID]) -> bool:
        """Whether the campaign has written, or may have, to the human with these ids."""

    def skip_waiting(self, campaign_id: UUID, reason: str) -> None:
        """All that wait in a campaign, at once; nobody is told of each."""

    def waiting_for(self, customer_id: UUID, purpose: str, channel: str) -> list[Message]:
        """Messages that wait to be sent to a customer, locked; "" stands for every purpose, "*" for
        every channel."""

    def abandoned(self, before: datetime, limit: int) -> list[Message]:
        """Attempted before an instant and never ended, locked."""

    def has_open(self, campaign_id: UUID) -> bool:
        """Whether a message of the campaign waits or is being attempted."""

    def forget_addresses(self, customer_ids: Sequence[UUID]) -> list[tuple[Channel, bytes]]:
        """Forgets where messages to these went; answers channel and keyed hash of each."""


class Links(Protocol):
    def apply(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""

    def one_with(self, customer_id: UUID) -> list[UUID]:
        """All ids of the human with this one."""

    def forget(self, customer_ids: Sequence[UUID]) -> int:
        """Deletes the links of these; how many there were."""


class Caps(Protocol):
    def of(self, channel: Channel) -> FrequencyCap: ...

    def save(self, cap: FrequencyCap) -> None: ...


class Suppressions(Protocol):
    """Addresses that are not written to, known by their keyed hashes."""

    def hash_of(self, address: str) -> bytes:
        """The keyed hash of an address in normal form. Raises KeyringUnavailable."""

    def add(self, wanted: Suppression, address: bytes) -> Suppression:
        """Puts it on the list unless the address stands there for the purpose; answers what stands there."""

    def of(self, channel: Channel, address: bytes) -> list[Suppression]: ...

    def remove(self, suppression_id: UUID) -> Suppression:
        """Raises SuppressionNotFound."""


class Work(Protocol):
    """An open unit of work of the marketing service."""

    @property
    def principal(self) -> Principal: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def now(self) -> datetime: ...

    @property
    def campaigns(self) -> Campaigns: ...

    @property
    def messages(self) -> Messages: ...

    @property
    def links(self) -> Links: ...

    @property
    def caps(self) -> Caps: ...

    @property
    def suppressions(self) -> Suppressions: ...

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None: ...

    def defer(self, job: str, *, lock: str | None = None, **arguments: object) -> None: ...


@dataclass(frozen=True)
class Contact:
    """Where a customer is reached, fetched for this sending and kept nowhere."""

    full_name: str
    addresses: Sequence[str]
    # Their data must rest, or they are deleted.
    out_of_reach: bool


@dataclass(frozen=True)
class Leave:
    """The answer of the privacy service: a permit, or the reason why there is none."""

    permit: str = ""
    refusal: str = ""


class Neighbours(Protocol):
    """The other services. Every call raises PeerUnavailable when they are away."""

    def members(self, group_id: UUID, after: str) -> tuple[list[UUID], str]:
        """A page of a group's members and the cursor of the next one, "" after the last."""

    def contacts(self, customer_ids: Sequence[UUID]) -> Mapping[UUID, Contact]: ...

    def leave_to_send(self, campaign: Campaign, customer_ids: Sequence[UUID]) -> Mapping[UUID, Leave]:
        """An answer for each of them."""

    def permit_keys(self) -> Mapping[str, bytes]:
        """The public keys that permits are verified with, by key id."""
