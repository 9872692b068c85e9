"""What other services tell of customers, as it is kept beside them (S-22, T-08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class DealRow:
    """A won opportunity as sales told it: the amount is the contract's, in its currency."""

    opportunity_id: UUID
    version: int
    customer_id: UUID
    contract_id: UUID
    amount: Decimal
    currency: str
    won_at: datetime


@dataclass(frozen=True)
class ContractRow:
    """A contract as sales told it."""

    contract_id: UUID
    version: int
    customer_id: UUID
    status: str


@dataclass(frozen=True)
class TicketRow:
    """A ticket as ticketing told it; `customer_id` is None while it is not known whose concern it is."""

    ticket_id: UUID
    version: int
    customer_id: UUID | None
    number: str
    kind: str
    status: str
    priority: str
    channel: str
    opened_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
