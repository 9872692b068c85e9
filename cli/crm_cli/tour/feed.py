"""The feed of the ERP: customers and orders as messages, sent in batches by several clients at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from queue import SimpleQueue
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid5

from crm.customer.v1.customer_pb2 import Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest
from crm.sales.v1.order_pb2 import ErpId, Order, OrderLine, OrderStatus, Product
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm.sales.v1.product_service_pb2 import BatchUpsertProductsRequest
from crm.type.v1.money_pb2 import Money
from crm_cli.client import Session
from crm_cli.tour.cdnow import Purchase
from crm_cli.tour.people import MadeUpPerson, make_up

SOURCE = "cdnow"
PRODUCT = "CD"
_CUSTOMERS_A_BATCH = 250
_ORDERS_A_BATCH = 250
Tick = Callable[[int], None]
T = TypeVar("T")


@dataclass
class Answers:
    """How the items of a feed were answered."""

    stored: int = 0
    unchanged: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    ids: dict[str, str] = field(default_factory=dict)  # id here by external id

    @property
    def accepted(self) -> int:
        return self.stored + self.unchanged

    def told(self) -> str:
        """For the report: "6,919 stored", "6,918 stored, 1 × total: NEGATIVE"."""
        parts = [f"{self.stored:,} stored"] if self.stored else []
        parts += [f"{self.unchanged:,} unchanged"] if self.unchanged else []
        parts += [f"{count} × {error}" for error, count in self.errors.most_common(3)]
        return ", ".join(parts) or "nothing"


class Clients:
    """Several connections that share the work of one feed."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._idle: SimpleQueue[Session] = SimpleQueue()
        for session in sessions:
            self._idle.put(session)
        self._count = len(sessions)

    def each(self, items: Iterable[T], work: Callable[[Session, T], None]) -> None:
        """Calls `work` for every item, as many at once as there are connections. The first error is
        raised.
        """

        def with_a_session(item: T) -> None:
            session = self._idle.get()
            try:
                work(session, item)
            finally:
                self._idle.put(session)

        with ThreadPoolExecutor(self._count, thread_name_prefix="client") as pool:
            futures = [pool.submit(with_a_session, item) for item in items]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def people(count: int) -> list[MadeUpPerson]:
    """Who the first `count` customers of the file are said to be, in the order of their ids."""
    return list(islice(make_up("CDNOW_sample"), count))


def phone_of(number: str) -> str:
    """The phone of the customer with this number in the file, which has all numbers from 1 on."""
    return people(int(number))[-1].phone


def send_product(session: Session, version: int, run: UUID) -> Answers:
    """Records what all these orders are for."""
    product = Product(
        external_id=ErpId(source=SOURCE, value=PRODUCT),
        source_version=version,
        name="音乐光盘",
        category="音像制品",
    )
    request = BatchUpsertProductsRequest(products=[product], request_id=str(uuid5(run, "product")))
    [outcome] = session.call(session.products.BatchUpsertProducts, request).outcomes
    answers = Answers()
    _note(answers, PRODUCT, *_upserted(outcome))
    return answers


def send_customers(clients: Clients, purchases: Sequence[Purchase], run: UUID, tick: Tick) -> Answers:
    """Records the customers of the purchases; who is there already stays as they are."""
    numbers = sorted({purchase.customer for purchase in purchases})
    customers = [
        Customer(
            person=Person(full_name=person.full_name, phones=[person.phone], emails=[person.email]),
            external_ids=[ExternalId(source=SOURCE, value=number)],
            source_channel="网店",
        )
        for number, person in zip(numbers, people(len(numbers)), strict=True)
    ]

    def send(session: Session, batch: Sequence[Customer], request_id: str) -> Any:
        request = BatchCreateCustomersRequest(customers=batch, request_id=request_id, allow_duplicate=True)
        return session.call(session.customers.BatchCreateCustomers, request)

    return _send(
        clients, customers, _CUSTOMERS_A_BATCH, uuid5(run, "customers"), tick, send, _created, _number_of
    )


def send_orders(clients: Clients, orders: Sequence[Order], run: UUID, label: str, tick: Tick) -> Answers:
    """Tells the orders. `label` tells this sending from the others of the same run."""

    def send(session: Session, batch: Sequence[Order], request_id: str) -> Any:
        request = BatchUpsertOrdersRequest(orders=batch, request_id=request_id)
        return session.call(session.orders.BatchUpsertOrders, request)

    return _send(clients, orders, _ORDERS_A_BATCH, uuid5(run, label), tick, send, _upserted, _order_id_of)


def order(purchase: Purchase, customer_id: str, version: int, status: OrderStatus, factor: int = 1) -> Order:
    """A purchase as the ERP tells it; with a `factor` other than 1 its amount is wrong."""
    amount = yuan(purchase.amount * factor)
    return Order(
        external_id=ErpId(source=SOURCE, value=purchase.order_id),
        source_version=version,
        customer_id=customer_id,
        ordered_on=purchase.day.isoformat(),
        status=status,
        lines=[OrderLine(product=PRODUCT, quantity=str(purchase.discs), amount=amount)],
        total=amount,
    )


def shuffled_with_stale(
    purchases: Sequence[Purchase], ids: Mapping[str, str], version: int, status: OrderStatus
) -> list[Order]:
    """The right orders under `version`, in another order, with stale and wrong ones in between.

    A third of the wrong ones has the version just below, so that it counts until the right one arrives;
    another third has a version that is too old from the start.
    """
    mixed = [order(p, ids[p.customer], version, status) for p in purchases]
    mixed += [
        order(p, ids[p.customer], version - 1, OrderStatus.ORDER_STATUS_PLACED, 3) for p in purchases[::3]
    ]
    mixed += [order(p, ids[p.customer], 1, OrderStatus.ORDER_STATUS_PLACED, 7) for p in purchases[1::3]]
    Random(version).shuffle(mixed)
    return mixed


def yuan(amount: Decimal) -> Money:
    return Money(amount=f"{amount:.2f}", currency_code="CNY")


def _send(
    clients: Clients,
    items: Sequence[T],
    size: int,
    run: UUID,
    tick: Tick,
    send: Callable[[Session, Sequence[T], str], Any],
    outcome_of: Callable[[Any], tuple[str, str]],
    name_of: Callable[[T], str],
) -> Answers:
    answers = Answers()
    lock = threading.Lock()

    def batch(session: Session, start: int) -> None:
        part = items[start : start + size]
        outcomes = send(session, part, str(uuid5(run, str(start)))).outcomes
        with lock:
            for item, outcome in zip(part, outcomes, strict=True):
                _note(answers, name_of(item), *outcome_of(outcome))
        tick(len(part))

    clients.each(range(0, len(items), size), batch)
    return answers


def _note(answers: Answers, name: str, what: str, value: str) -> None:
    if what == "stored":
        answers.stored += 1
    elif what == "unchanged":
        answers.unchanged += 1
    else:
        answers.errors[value] += 1
        return
    answers.ids[name] = value


def _created(outcome: Any) -> tuple[str, str]:
    if outcome.created_id:
        return "stored", outcome.created_id
    return ("unchanged", outcome.existing_id) if outcome.existing_id else ("error", outcome.error.message)


def _upserted(outcome: Any) -> tuple[str, str]:
    if outcome.stored_id:
        return "stored", outcome.stored_id
    return ("unchanged", outcome.unchanged_id) if outcome.unchanged_id else ("error", outcome.error.message)


def _number_of(customer: Customer) -> str:
    return customer.external_ids[0].value


def _order_id_of(told: Order) -> str:
    return told.external_id.value
