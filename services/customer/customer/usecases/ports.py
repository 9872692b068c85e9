"""What the use cases need of the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from customer.domain.customer import Customer, ExternalId
from customer.domain.purchases import Purchases
from customer.domain.schemes import Scheme
from kernel.pure.clock import Clock
from kernel.pure.events import Event
from kernel.pure.grants import Principal

# The timer, one a customer, on the day when time alone may change a class.
REVIEW = "review_classes"


@dataclass(frozen=True)
class OrderRow:
    """An order as sales told it: amounts in the base currency."""

    order_id: UUID
    version: int
    customer_id: UUID
    ordered_on: date
    status: str
    base_amount: Decimal


@dataclass(frozen=True)
class ClassRow:
    """The class of a customer under a scheme. `version` grows with every change of the class."""

    customer_id: UUID
    scheme: str
    class_: str
    version: int
    scheme_version: int
    since: datetime
    review_on: date | None


class Customers(Protocol):
    def add(self, customers: Sequence[Customer]) -> None:
        """Stores new customers; their external ids are free."""

    def holders(self, external_ids: Collection[ExternalId]) -> dict[ExternalId, UUID]:
        """The customers that have these external ids; what comes after waits for the answer to stay true."""

    def lend(self, customer_id: UUID, permission: str) -> Customer:
        """The customer, locked until the end of the transaction, if the principal's grant of
        `permission` reaches it. Raises CustomerNotFound."""

    def save(self, customer: Customer) -> None:
        """Stores a changed customer."""


class Purchasing(Protocol):
    def apply(self, orders: Sequence[OrderRow]) -> set[UUID]:
        """Stores what is newer than what is held; answers the customers whose purchases may have changed."""

    def hold(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Locks customers against being classified by another; answers those that exist."""

    def of(self, customer_ids: Collection[UUID], today: date) -> dict[UUID, Purchases]:
        """The purchases of customers that have orders."""


class Classes(Protocol):
    def schemes(self) -> list[Scheme]:
        """The newest version of each scheme."""

    def of(self, customer_ids: Collection[UUID]) -> list[ClassRow]: ...

    def save(self, rows: Sequence[ClassRow]) -> None: ...

    def review(self, due: dict[UUID, date | None]) -> None:
        """Sets the day on which each customer is classified again; None for no day."""


class Work(Protocol):
    """An open unit of work of the customer service."""

    principal: Principal
    clock: Clock
    now: datetime
    customers: Customers
    purchases: Purchasing
    classes: Classes

    def record(self, event: Event) -> None: ...

    def audit(self, action: str, object_type: str, object_id: object, **facts: Any) -> None: ...
