"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from kernel.pure.clock import Clock
from kernel.pure.events import Event
from sales.domain.erp_record import ErpId, Kept
from sales.domain.order import Order
from sales.domain.product import Product


class Orders(Protocol):
    def upsert(self, orders: Sequence[Order]) -> Mapping[ErpId, Kept]:
        """Stores each order whose source version is above the one held; answers for every order.

        External ids must differ and be sorted.
        """


class Products(Protocol):
    def upsert(self, products: Sequence[Product]) -> Mapping[ErpId, Kept]:
        """Like Orders.upsert."""


@dataclass(frozen=True)
class CustomerRow:
    """What decides who sees the orders of a customer, as the customer service told it."""

    customer_id: UUID
    version: int
    owner_id: UUID | None
    collaborator_ids: tuple[UUID, ...] = ()
    deleted: bool = False


class Customers(Protocol):
    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""


class Work(Protocol):
    """An open unit of work of the sales service."""

    @property
    def clock(self) -> Clock: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def products(self) -> Products: ...

    @property
    def customers(self) -> Customers: ...

    @property
    def base_currency(self) -> str: ...

    @property
    def order_days_ahead(self) -> int: ...

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: object) -> None: ...
