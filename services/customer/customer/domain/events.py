"""Facts the customer service tells; the fields mirror crm/customer/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure import erasure
from kernel.pure.events import Event


@dataclass(frozen=True)
class RecordedCustomer:
    customer_id: UUID
    version: int
    kind: str
    # None while nobody owns the customer.
    owner_id: UUID | None
    source_channel: str
    industry: str
    province: str
    city: str
    collaborator_ids: tuple[UUID, ...]
    deleted: bool


@dataclass(frozen=True)
class CustomersRecorded(Event):
    """Customers were created or changed: at most 500."""

    type = "crm.customer.v1.CustomersRecorded"
    customers: tuple[RecordedCustomer, ...]


@dataclass(frozen=True)
class ClassifiedCustomer:
    customer_id: UUID
    scheme: str
    version: int
    class_: str
    previous_class: str
    scheme_version: int


@dataclass(frozen=True)
class CustomersClassified(Event):
    """The classes of customers changed: at most 500."""

    type = "crm.customer.v1.CustomersClassified"
    customers: tuple[ClassifiedCustomer, ...]


@dataclass(frozen=True)
class GroupMember:
    group_id: UUID
    customer_id: UUID
    member: bool
    version: int


@dataclass(frozen=True)
class GroupsChanged(Event):
    """Customers became members of groups, or are none any more: at most 500."""

    type = "crm.customer.v1.GroupsChanged"
    members: tuple[GroupMember, ...]


@dataclass(frozen=True)
class MergedCustomer:
    """`survivor_id` is None for one that stands for itself again."""

    absorbed_id: UUID
    survivor_id: UUID | None
    version: int


@dataclass(frozen=True)
class CustomersMerged(Event):
    """Customers were merged into others, or taken out again: at most 500."""

    type = "crm.customer.v1.CustomersMerged"
    links: tuple[MergedCustomer, ...]


@dataclass(frozen=True)
class CustomersExported(Event):
    """Somebody took customers out as a file; `personal`: personal fields, unmasked, are in it."""

    type = "crm.customer.v1.CustomersExported"
    export_id: UUID
    exporter_id: UUID
    approver_id: UUID | None
    customers: int
    personal: bool
    format: str

    @property
    def subject(self) -> str:
        return str(self.export_id)


@dataclass(frozen=True)
class SubjectErased(erasure.Receipt):
    """The data of a person was erased in the archive."""

    type = "crm.customer.v1.SubjectErased"
