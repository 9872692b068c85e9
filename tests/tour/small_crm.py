"""A CRM small enough to be wrong on purpose: orders in a dictionary, views computed when asked for."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from crm.customer.v1.customer_pb2 import (
    ClassCount,
    Customer,
    CustomerView,
    OrderFact,
    Purchases,
)
from crm.customer.v1.customer_service_pb2 import (
    BatchCreateCustomersResponse,
    CountClassesResponse,
    CreateOutcome,
    ListCustomersResponse,
)
from crm.customer.v1.customer_service_pb2_grpc import CustomerServiceServicer
from crm.gateway.v1.auth_service_pb2_grpc import AuthServiceServicer
from crm.gateway.v1.identity_pb2 import Tokens
from crm.sales.v1.order_pb2 import Order, OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersResponse, UpsertOutcome
from crm.sales.v1.order_service_pb2_grpc import OrderServiceServicer
from crm.type.v1.money_pb2 import Money
from crm_cli.tour import cdnow, truth
from crm_cli.tour.cdnow import Purchase

_PAGE = 7


class SmallCrm(AuthServiceServicer, CustomerServiceServicer, OrderServiceServicer):  # type: ignore[misc]
    """Its faults are off until a test switches one on."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.orders: dict[str, Order] = {}
        self.answers: dict[str, Any] = {}
        self.lock = threading.Lock()
        self.any_version_wins = False
        self.lost: set[str] = set()
        self.counted_twice: set[str] = set()
        self.views_hear_nothing = False

    def Login(self, request: Any, context: Any) -> Tokens:
        return Tokens(access_token="token", expires_in=600)

    def BatchCreateCustomers(self, request: Any, context: Any) -> BatchCreateCustomersResponse:
        with self.lock:
            return BatchCreateCustomersResponse(outcomes=[self._create(one) for one in request.customers])

    def _create(self, customer: Customer) -> CreateOutcome:
        number = customer.external_ids[0].value
        for held in self.customers.values():
            if held.external_ids[0].value == number:
                return CreateOutcome(existing_id=held.id)
        stored = Customer()
        stored.CopyFrom(customer)
        stored.id = f"id of {number}"
        self.customers[stored.id] = stored
        return CreateOutcome(created_id=stored.id)

    def BatchUpsertOrders(self, request: Any, context: Any) -> BatchUpsertOrdersResponse:
        with self.lock:
            if request.request_id not in self.answers:
                self.answers[request.request_id] = [self._upsert(order) for order in request.orders]
            return BatchUpsertOrdersResponse(outcomes=self.answers[request.request_id])

    def _upsert(self, order: Order) -> UpsertOutcome:
        name = order.external_id.value
        held = self.orders.get(name)
        if held is not None and held.source_version >= order.source_version and not self.any_version_wins:
            return UpsertOutcome(unchanged_id=name)
        if name not in self.lost:
            self.orders[name] = order
        return UpsertOutcome(stored_id=name)

    def ListCustomers(self, request: Any, context: Any) -> ListCustomersResponse:
        with self.lock:
            start = int(request.page_token or 0)
            page = sorted(self.customers)[start : start + _PAGE]
            following = str(start + _PAGE) if start + _PAGE < len(self.customers) else ""
            found = [self._view(customer_id).customer for customer_id in page]
            return ListCustomersResponse(customers=found, next_page_token=following)

    def CountClasses(self, request: Any, context: Any) -> CountClassesResponse:
        with self.lock:
            views = [self._view(customer_id).customer for customer_id in self.customers]
        classes = Counter(
            getattr(found, "class")
            for customer in views
            for found in customer.classes
            if found.scheme == request.scheme
        )
        return CountClassesResponse(
            counts=[ClassCount(**{"class": name, "customers": count}) for name, count in classes.items()]
        )

    def GetCustomerView(self, request: Any, context: Any) -> CustomerView:
        with self.lock:
            return self._view(request.id)

    def _view(self, customer_id: str) -> CustomerView:
        theirs = [order for order in self.orders.values() if order.customer_id == customer_id]
        theirs += [order for order in theirs if order.external_id.value in self.counted_twice]
        view = CustomerView(customer=self.customers[customer_id])
        if not theirs or self.views_hear_nothing:
            return view
        facts = truth.facts([_purchase(order) for order in theirs], cdnow.today())[customer_id]
        view.purchases.CopyFrom(_sums(facts))
        for scheme, name in ((truth.TIER_SCHEME, facts.tier), (truth.RFM_SCHEME, facts.rfm)):
            found = view.customer.classes.add(scheme=scheme)
            setattr(found, "class", name)
        newest = sorted(theirs, key=lambda order: order.ordered_on, reverse=True)[:20]
        for order in newest:
            status = OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_").lower()
            view.recent_orders.append(OrderFact(order_id=order.external_id.value, status=status))
        return view


def _purchase(order: Order) -> Purchase:
    amount = Decimal(order.total.amount)
    return Purchase(0, order.customer_id, date.fromisoformat(order.ordered_on), 1, amount)


def _sums(facts: truth.Facts) -> Purchases:
    return Purchases(
        order_count=facts.orders,
        total=Money(amount=str(facts.total), currency_code="CNY"),
        year_order_count=facts.year_orders,
        year_total=Money(amount=str(facts.year_total), currency_code="CNY"),
        first_order_on=facts.first_day.isoformat(),
        last_order_on=facts.last_day.isoformat(),
    )
