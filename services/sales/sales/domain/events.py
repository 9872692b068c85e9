"""Facts the sales service tells; the fields are those of crm/sales/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from kernel.pure import erasure
from kernel.pure.events import Event


@dataclass(frozen=True)
class RecordedOrder:
    """The state of one order after its change; `base_amount` is (total - refunded) in the base currency."""

    order_id: UUID
    version: int
    customer_id: UUID
    ordered_on: date
    status: str
    base_amount: Decimal
    base_currency: str


@dataclass(frozen=True)
class OrdersRecorded(Event):
    """Up to 500 orders were stored or changed."""

    type: ClassVar[str] = "crm.sales.v1.OrdersRecorded"

    orders: tuple[RecordedOrder, ...]


@dataclass(frozen=True)
class RecordedProduct:
    """The state of one product after its change."""

    product_id: UUID
    version: int
    name: str
    category: str
    discontinued: bool


@dataclass(frozen=True)
class ProductsRecorded(Event):
    """Up to 500 products were stored or changed."""

    type: ClassVar[str] = "crm.sales.v1.ProductsRecorded"

    products: tuple[RecordedProduct, ...]


@dataclass(frozen=True)
class ChangedLead:
    """The state of one lead after its change; no owner: it lies in the public pool."""

    lead_id: UUID
    version: int
    customer_id: UUID
    status: str
    score: int
    owner_id: UUID | None
    source_channel: str


@dataclass(frozen=True)
class LeadsChanged(Event):
    """Up to 500 leads came in or changed."""

    type: ClassVar[str] = "crm.sales.v1.LeadsChanged"

    leads: tuple[ChangedLead, ...]


@dataclass(frozen=True)
class ChangedOpportunity:
    """The state of one opportunity after its change."""

    opportunity_id: UUID
    version: int
    customer_id: UUID
    owner_id: UUID | None
    pipeline: str
    stage: str
    status: str
    amount: Decimal | None
    currency: str
    probability: int
    expected_close_on: date | None


@dataclass(frozen=True)
class OpportunitiesChanged(Event):
    """Up to 500 opportunities were created or changed."""

    type: ClassVar[str] = "crm.sales.v1.OpportunitiesChanged"

    opportunities: tuple[ChangedOpportunity, ...]


@dataclass(frozen=True)
class OpportunityWon(Event):
    """The customer buys by this contract."""

    type: ClassVar[str] = "crm.sales.v1.OpportunityWon"

    opportunity_id: UUID
    version: int
    customer_id: UUID
    owner_id: UUID | None
    contract_id: UUID
    amount: Decimal
    currency: str
    won_at: datetime

    @property
    def subject(self) -> str:
        return str(self.opportunity_id)


@dataclass(frozen=True)
class ChangedContract:
    """The state of one contract after its change."""

    contract_id: UUID
    version: int
    customer_id: UUID
    opportunity_id: UUID | None
    status: str
    starts_on: date
    ends_on: date
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class ContractsChanged(Event):
    """Up to 500 contracts were made or changed."""

    type: ClassVar[str] = "crm.sales.v1.ContractsChanged"

    contracts: tuple[ChangedContract, ...]


@dataclass(frozen=True)
class SubjectErased(erasure.Receipt):
    """What sales held of a person is gone; signed contracts may stay a while."""

    type: ClassVar[str] = "crm.sales.v1.SubjectErased"
