"""What a seller sees: their own customers and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import uuid4

import grpc

from crm.customer.v1.customer_pb2 import Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import (
    BatchCreateCustomersRequest,
    CountClassesRequest,
    GetCustomerRequest,
    GetCustomerViewRequest,
)
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.sales.v1.order_service_pb2 import ListOrdersRequest
from crm_cli.client import Refused, Session
from crm_cli.tour.feed import Tick
from crm_cli.tour.figures import list_customers
from crm_cli.tour.people import make_up
from crm_cli.tour.truth import TIER_SCHEME

SOURCE = "crm tour"
CUSTOMERS = 3
CHECKS = 8


def differences(owner: Session, other: Session, somebody_else: str, tick: Tick) -> Iterator[str]:
    """Gives `owner` a few customers and compares what both sellers see. `somebody_else` is the id of a
    customer that belongs to neither. Yields what is other than it must be.
    """
    own = _customers_of(owner)
    checks = {
        "a seller lists their own customers and no other": _listed(owner) == own,
        "another seller lists none of them": not _listed(other) & own,
        "a seller counts their own customers and no other": _counted(owner) == CUSTOMERS,
        "a seller reads their own customer": all(_code_of(owner, one) is grpc.StatusCode.OK for one in own),
        "another seller's customer is not there": all(
            _code_of(other, one) is grpc.StatusCode.NOT_FOUND for one in own
        ),
        "nobody's customer is not there": _code_of(owner, str(uuid4())) is grpc.StatusCode.NOT_FOUND,
        "the feed's customer is not there": _code_of(owner, somebody_else) is grpc.StatusCode.NOT_FOUND,
        "orders of other people's customers are not there": not _lists_orders(owner),
    }
    assert len(checks) == CHECKS
    for name, holds in checks.items():
        tick(1)
        if not holds:
            yield f"not so: {name}"


def _customers_of(owner: Session) -> set[str]:
    """Ids of the few customers the seller has, created now or in an earlier run."""
    login = owner.call(owner.auth.GetSelf, GetSelfRequest()).login
    people = islice(make_up(login), CUSTOMERS)
    customers = [
        Customer(
            person=Person(full_name=person.full_name, phones=[person.phone], emails=[person.email]),
            external_ids=[ExternalId(source=SOURCE, value=f"{login}:{number}")],
        )
        for number, person in enumerate(people)
    ]
    request = BatchCreateCustomersRequest(customers=customers, request_id=str(uuid4()))
    outcomes = owner.call(owner.customers.BatchCreateCustomers, request).outcomes
    return {outcome.created_id or outcome.existing_id for outcome in outcomes}


def _listed(seller: Session) -> set[str]:
    return {customer.id for customer in list_customers(seller)}


def _lists_orders(seller: Session) -> bool:
    """Whether the seller sees any order; nobody sells to the tour's few customers."""
    return bool(seller.call(seller.orders.ListOrders, ListOrdersRequest(page_size=1)).orders)


def _counted(seller: Session) -> int:
    answer = seller.call(seller.customers.CountClasses, CountClassesRequest(scheme=TIER_SCHEME))
    counted: int = answer.unclassified + sum(count.customers for count in answer.counts)
    return counted


def _code_of(seller: Session, customer_id: str) -> grpc.StatusCode:
    """How the seller's two ways to read a customer end, when they end alike."""
    codes = set()
    for method, request in (
        (seller.customers.GetCustomer, GetCustomerRequest(id=customer_id)),
        (seller.customers.GetCustomerView, GetCustomerViewRequest(id=customer_id)),
    ):
        try:
            seller.call(method, request)
            codes.add(grpc.StatusCode.OK)
        except Refused as refused:
            codes.add(refused.code)
    return codes.pop() if len(codes) == 1 else grpc.StatusCode.UNKNOWN
