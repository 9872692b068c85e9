"""What the system shows of the tour's customers, waited for until it is what it must be or time is up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crm.customer.v1.customer_pb2 import Customer, CustomerView
from crm.customer.v1.customer_service_pb2 import (
    CountClassesRequest,
    CustomerFields,
    GetCustomerViewRequest,
    ListCustomersRequest,
)
from crm.sales.v1.order_pb2 import OrderStatus
from crm_cli.client import Session
from crm_cli.tour.cdnow import Purchase, today
from crm_cli.tour.feed import SOURCE, Clients, Tick
from crm_cli.tour.truth import RFM_SCHEME, TIER_SCHEME, Facts, Figures, facts, figures

# Seconds the events of a whole feed may take; the parts of the system may be restarting meanwhile.
CATCH_UP = 300.0
_PAUSE = 0.25
_TOGETHER = 100
_PAGE = 200


@dataclass(frozen=True)
class Look:
    """What was expected and what was seen, of all customers; `wrong` names those that differ."""

    expected: Figures
    actual: Figures
    wrong: Sequence[str]


@dataclass
class Observer:
    """Looks at customers through their 360° views. `ids` are the customers' ids by their number in the
    file.
    """

    clients: Clients
    ids: Mapping[str, str]
    purchases: Sequence[Purchase]

    def catch_up(self, status: OrderStatus, tick: Tick) -> Look:
        """Waits until each view shows what the purchases say, with all recent orders in `status`.

        Going through the customers in groups asks each of them hardly more than once: when one group has
        caught up, the next ones mostly have too.
        """
        give_up = time.monotonic() + CATCH_UP
        expected: dict[str, Facts] = {}
        seen: dict[str, Facts] = {}
        wrong: list[str] = []
        numbers = sorted(self.ids)
        for start in range(0, len(numbers), _TOGETHER):
            group = numbers[start : start + _TOGETHER]
            wrong += self._group(group, status, expected, seen, give_up)
            tick(len(group))
        return Look(figures(expected), figures(seen), wrong)

    def _group(
        self,
        group: Sequence[str],
        status: OrderStatus,
        expected: dict[str, Facts],
        seen: dict[str, Facts],
        give_up: float,
    ) -> list[str]:
        """Looks at a group until it is right; who is not in time is returned."""
        pending = list(group)
        while True:
            truth = facts(self._of(group), today())
            views = self._views(pending)
            for number in pending:
                expected[number], seen[number] = truth[number], facts_of(views[number])
            pending = [n for n in pending if seen[n] != expected[n] or not _all_in(views[n], status)]
            if not pending or time.monotonic() > give_up:
                return pending
            time.sleep(_PAUSE)

    def _of(self, group: Sequence[str]) -> list[Purchase]:
        wanted = set(group)
        return [purchase for purchase in self.purchases if purchase.customer in wanted]

    def _views(self, numbers: Sequence[str]) -> dict[str, CustomerView]:
        views: dict[str, CustomerView] = {}
        lock = threading.Lock()

        def look(session: Session, number: str) -> None:
            request = GetCustomerViewRequest(id=self.ids[number])
            view = session.call(session.customers.GetCustomerView, request)
            with lock:
                views[number] = view

        self.clients.each(numbers, look)
        return views


@dataclass(frozen=True)
class ClassCounts:
    """Customers by class, counted by the system over all, over all by us, and over the tour's own by us."""

    told: Mapping[str, int]
    listed: Mapping[str, int]
    own: Mapping[str, int]

    @property
    def agree(self) -> bool:
        """Whether the system counts everybody it lists; those who were erased it counts and lists no more."""
        return all(self.told.get(name, 0) >= count for name, count in self.listed.items())


def count_classes(session: Session, scheme: str) -> ClassCounts:
    """The counts under `scheme`, ours from one listing of all customers."""
    everybody = list(list_customers(session))
    return ClassCounts(
        told=_told(session, scheme),
        listed=_tally(everybody, scheme),
        own=_tally([customer for customer in everybody if number_of(customer)], scheme),
    )


def list_customers(session: Session) -> Iterator[Customer]:
    """All customers the account may see, without personal fields."""
    request = ListCustomersRequest(page_size=_PAGE, fields=CustomerFields.CUSTOMER_FIELDS_IMPERSONAL)
    while True:
        page = session.call(session.customers.ListCustomers, request)
        yield from page.customers
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def number_of(customer: Customer) -> str:
    """The customer's number in the file; empty for somebody else's customer."""
    return next((e.value for e in customer.external_ids if e.source == SOURCE), "")


def facts_of(view: CustomerView) -> Facts:
    """What a view says, in our words. Days that are missing are day 1 of year 1."""
    bought = view.purchases
    return Facts(
        orders=bought.order_count,
        total=Decimal(bought.total.amount or 0),
        year_orders=bought.year_order_count,
        year_total=Decimal(bought.year_total.amount or 0),
        first_day=date.fromisoformat(bought.first_order_on or "0001-01-01"),
        last_day=date.fromisoformat(bought.last_order_on or "0001-01-01"),
        tier=_class_of(view.customer, TIER_SCHEME),
        rfm=_class_of(view.customer, RFM_SCHEME),
    )


def status_word(status: OrderStatus) -> str:
    """The status as an order fact of the view names it: "PAID"."""
    return OrderStatus.Name(status).removeprefix("ORDER_STATUS_")


def shows(told: str, status: OrderStatus) -> bool:
    """Whether a view's word for a status means `status`."""
    return told.upper().removeprefix("ORDER_STATUS_") == status_word(status)


def _all_in(view: CustomerView, status: OrderStatus) -> bool:
    return bool(view.recent_orders) and all(shows(fact.status, status) for fact in view.recent_orders)


def _told(session: Session, scheme: str) -> dict[str, int]:
    answer = session.call(session.customers.CountClasses, CountClassesRequest(scheme=scheme))
    return {getattr(count, "class"): count.customers for count in answer.counts if count.customers}


def _tally(customers: Sequence[Customer], scheme: str) -> dict[str, int]:
    return dict(Counter(c for c in (_class_of(customer, scheme) for customer in customers) if c))


def _class_of(customer: Customer, scheme: str) -> str:
    """The class under a scheme; empty for none. The field is called like a word of Python's own."""
    return next((str(getattr(c, "class")) for c in customer.classes if c.scheme == scheme), "")
