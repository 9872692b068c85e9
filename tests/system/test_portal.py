"""A customer signs in to the portal, sees what is about them, and says what becomes of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
    UpdateCustomerRequest,
)
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm.privacy.v1.erasure_service_pb2 import (
    REFUSAL_CODE_NOT_THE_PERSON,
    CreateErasureRequestRequest,
    ErasureRequest,
    ListErasureRequestsRequest,
    RefuseErasureRequestRequest,
)
from crm.sales.v1.order_service_pb2 import ListOrdersRequest
from crm_cli.client import Account, Gateway, Refused, Session, wait_until
from crm_cli.tour.cdnow import today
from tests.system.erp import STATUSES, Erp, Told

_SOON = 60.0  # seconds; events mostly need a fraction of one


@dataclass(frozen=True)
class Portal:
    """Two customers of a feed; `me` is the first of them, signed in to the portal."""

    feed: Erp
    own_id: str
    other_id: str
    me: Session


@pytest.fixture(scope="module")
def portal(gateway: Gateway, admin: Session, erp: Account) -> Portal:
    feed, session = Erp(f"portal {uuid4().hex[:8]}"), erp.session()
    feed.record_people(session, 2)
    own, other = sorted(feed.ids)
    day = today() - timedelta(days=10)
    feed.tell_orders(
        session,
        [Told(f"{feed.source}:{one}", 1, one, day, Decimal(9), STATUSES[0]) for one in (own, other)],
    )
    login, password = f"customer-{uuid4().hex[:8]}", secrets.token_urlsafe(12)
    user = User(login=login, role_ids=["customer"], customer_id=feed.ids[own])
    admin.call(
        admin.directory.CreateUser, CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    )
    return Portal(feed, feed.ids[own], feed.ids[other], gateway.password_account(login, password).session())


def test_a_customer_sees_the_own_record_and_orders_only(portal: Portal, erp: Account) -> None:
    me, session, own = portal.me, erp.session(), GetCustomerRequest(id=portal.own_id)
    mine = me.call(me.customers.GetCustomer, own)
    assert mine == session.call(session.customers.GetCustomer, own)
    assert [one.id for one in me.call(me.customers.ListCustomers, ListCustomersRequest()).customers] == [
        mine.id
    ]
    assert me.call(me.customers.GetCustomerView, GetCustomerViewRequest(id=mine.id)).customer == mine
    orders = me.call(me.orders.ListOrders, ListOrdersRequest()).orders
    [number] = [number for number, id in portal.feed.ids.items() if id == portal.own_id]
    assert [order.external_id.value for order in orders] == [f"{portal.feed.source}:{number}"]
    with pytest.raises(Refused) as refused:
        me.call(me.customers.GetCustomer, GetCustomerRequest(id=portal.other_id))
    assert refused.value.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.feature("P-03")
def test_a_customer_changes_how_they_are_reached_and_not_who_they_are(portal: Portal, erp: Account) -> None:
    moved = Customer(
        id=portal.own_id, city="苏州市", person=Person(phones=["139 1234 5678"], full_name="另一个人")
    )
    changed = _update(portal.me, moved, "person.phones", "city")
    session = erp.session()
    shown = session.call(session.customers.GetCustomer, GetCustomerRequest(id=portal.own_id))
    assert (list(shown.person.phones), shown.city) == (["+8613912345678"], "苏州市")
    assert shown == changed
    with pytest.raises(Refused) as renamed:
        _update(portal.me, moved, "person.full_name")
    assert renamed.value.code is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(Refused) as foreign:
        _update(portal.me, Customer(id=portal.other_id, city="苏州市"), "city")
    assert foreign.value.code is grpc.StatusCode.NOT_FOUND


@pytest.mark.feature("P-04")
def test_a_customer_asks_to_be_erased_and_the_company_hears_of_it(portal: Portal, admin: Session) -> None:
    asked = wait_until(lambda: _asked(portal.me, portal.own_id), _SOON)
    received = admin.call(admin.erasures.ListErasureRequests, ListErasureRequestsRequest(open=True)).requests
    assert [one.id for one in received if one.subject_id == portal.own_id] == [asked.id]
    assert _asked(portal.me, portal.other_id) is None
    unproved = RefuseErasureRequestRequest(
        id=asked.id, code=REFUSAL_CODE_NOT_THE_PERSON, reason="not known to the number on file",
        request_id=str(uuid4()),
    )  # fmt: skip
    admin.call(admin.erasures.RefuseErasureRequest, unproved)


def _asked(session: Session, customer_id: str) -> ErasureRequest | None:
    """The request, as soon as privacy has heard that there is such a customer."""
    request = CreateErasureRequestRequest(subject_id=customer_id, request_id=str(uuid4()))
    try:
        asked: ErasureRequest = session.call(session.erasures.CreateErasureRequest, request)
    except Refused as refused:
        if refused.reason != "SUBJECT_UNKNOWN":
            raise
        return None
    return asked


def _update(session: Session, customer: Customer, *fields: str) -> Customer:
    request = UpdateCustomerRequest(customer=customer, request_id=str(uuid4()))
    request.update_mask.paths.extend(fields)
    updated: Customer = session.call(session.customers.UpdateCustomer, request)
    return updated
