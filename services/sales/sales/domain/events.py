"""Facts the sales service tells; the fields are those of crm/sales/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

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
