"""Facts the privacy service tells; the fields are those of crm/privacy/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from kernel.pure import erasure
from kernel.pure.events import Event


@dataclass(frozen=True)
class ChangedConsent:
    """What a person wishes now, for one purpose and channel."""

    subject_id: UUID
    purpose: str
    channel: str
    state: str
    version: int


@dataclass(frozen=True)
class ConsentsChanged(Event):
    """Up to 500 wishes changed."""

    type: ClassVar[str] = "crm.privacy.v1.ConsentsChanged"

    consents: tuple[ChangedConsent, ...]


@dataclass(frozen=True)
class RestrictedSubject:
    """Whether the data of a person must rest."""

    subject_id: UUID
    version: int
    restricted: bool
    request_id: UUID


@dataclass(frozen=True)
class SubjectsRestricted(Event):
    """Data of persons must rest, or may be used again."""

    type: ClassVar[str] = "crm.privacy.v1.SubjectsRestricted"

    subjects: tuple[RestrictedSubject, ...]


@dataclass(frozen=True)
class ErasureOrdered(Event):
    """The data of one person must be erased everywhere."""

    type: ClassVar[str] = "crm.privacy.v1.ErasureOrdered"

    request_id: UUID
    attempt: int
    subject_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ErasureClosed(Event):
    """An erasure came to its end: "erased", "retained" or "refused"."""

    type: ClassVar[str] = "crm.privacy.v1.ErasureClosed"

    request_id: UUID
    subject_ids: tuple[UUID, ...]
    outcome: str


class SubjectErased(erasure.Receipt):
    """What the privacy service itself held of a person is gone."""

    type: ClassVar[str] = "crm.privacy.v1.SubjectErased"
