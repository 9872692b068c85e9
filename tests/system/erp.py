"""An ERP that tells people and orders through the gateway, and what must come of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from uuid import uuid4

from crm.customer.v1.customer_pb2 import Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest
from crm.sales.v1.order_pb2 import ErpId, Order, OrderLine, OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm_cli.client import Session
from crm_cli.tour import truth
from crm_cli.tour.cdnow import Purchase, today
from crm_cli.tour.feed import yuan
from crm_cli.tour.people import MadeUpPerson, make_up
from crm_cli.tour.truth import Facts

STATUSES = (
    OrderStatus.ORDER_STATUS_PLACED,
    OrderStatus.ORDER_STATUS_PAID,
    OrderStatus.ORDER_STATUS_DELIVERED,
)
_DAYS = 500  # so that some orders lie outside of the trailing year


@dataclass(frozen=True)
class Told:
    """An order as told once; amounts in CNY, `customer` is an external id."""

    value: str
    version: int
    customer: str
    day: date
    amount: Decimal
    status: OrderStatus


class Erp:
    """Remembers of each order the newest version it has told. Threads may share it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.ids: dict[str, str] = {}  # customer id by external id
        self.newest: dict[str, Told] = {}
        self._chance = Random(source)
        self._people = make_up(source)
        self._counted = 0
        self._version = time.time_ns() // 1_000_000
        self._lock = threading.Lock()

    def record_people(self, session: Session, count: int) -> list[MadeUpPerson]:
        """Creates so many persons in one batch."""
        with self._lock:
            people = list(islice(self._people, count))
            numbers = [f"{self._counted + place:05}" for place in range(count)]
            self._counted += count
        customers = [
            Customer(
                person=Person(full_name=one.full_name, phones=[one.phone], emails=[one.email]),
                external_ids=[ExternalId(source=self.source, value=number)],
            )
            for number, one in zip(numbers, people, strict=True)
        ]
        request = BatchCreateCustomersRequest(
            customers=customers, request_id=str(uuid4()), allow_duplicate=True
        )
        outcomes = session.call(session.customers.BatchCreateCustomers, request).outcomes
        made = [outcome.created_id for outcome in outcomes]
        assert all(made), f"not created: {[o for o in outcomes if not o.created_id][:1]}"
        with self._lock:
            self.ids |= dict(zip(numbers, made, strict=True))
        return people

    def tell_orders(self, session: Session, orders: Sequence[Told]) -> None:
        """One batch; every order is accepted, stale ones too."""
        request = BatchUpsertOrdersRequest(
            orders=[self._message(order) for order in orders], request_id=str(uuid4())
        )
        outcomes = session.call(session.orders.BatchUpsertOrders, request).outcomes
        refused = [outcome.error.message for outcome in outcomes if outcome.HasField("error")]
        assert not refused, f"{len(refused)} orders refused: {refused[0]}"

    def invent(self, count: int) -> list[Told]:
        """New orders, newer versions of known ones, and versions that are stale already."""
        with self._lock:
            return [self._invent_one() for _ in range(count)]

    def facts(self) -> dict[str, Facts]:
        """What the views of all who bought must say, by external id, computed without the system's code."""
        with self._lock:
            bought = [Purchase(0, o.customer, o.day, 1, o.amount) for o in self.newest.values()]
        return truth.facts(bought, today())

    def _invent_one(self) -> Told:
        kind = self._chance.choice(("new", "new", "newer", "stale"))
        self._version += 1
        if kind == "new" or not self.newest:
            value = f"{self.source}:{len(self.newest) + 1}"
            told = replace(self._content(), value=value, version=self._version)
            self.newest[value] = told
            return told
        known = self.newest[self._chance.choice(sorted(self.newest))]
        if kind == "stale":
            return replace(self._content(), value=known.value, version=1)
        told = replace(self._content(), value=known.value, version=self._version)
        self.newest[known.value] = told
        return told

    def _content(self) -> Told:
        # A few buy most: every class has somebody.
        customers = sorted(self.ids)
        customer = self._chance.choice(customers[:3] if self._chance.randrange(3) == 0 else customers)
        return Told(
            value="",
            version=0,
            customer=customer,
            day=today() - timedelta(days=self._chance.randrange(_DAYS)),
            amount=Decimal(self._chance.randrange(100, 500_000)) / 100,
            status=self._chance.choice(STATUSES),
        )

    def _message(self, told: Told) -> Order:
        return Order(
            external_id=ErpId(source=self.source, value=told.value),
            source_version=told.version,
            customer_id=self.ids[told.customer],
            ordered_on=told.day.isoformat(),
            status=told.status,
            lines=[OrderLine(product="CD", quantity="1", amount=yuan(told.amount))],
            total=yuan(told.amount),
        )


def word(status: OrderStatus) -> str:
    """As the databases say it."""
    return OrderStatus.Name(status).removeprefix("ORDER_STATUS_").lower()


def classes_of(customer: Customer) -> Mapping[str, str]:
    """Class by scheme."""
    return {one.scheme: str(getattr(one, "class")) for one in customer.classes}
