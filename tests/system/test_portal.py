"""A customer signs in to the portal, and sees what is about them, and nothing else."""

from __future__ import annotations

import secrets
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
)
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm.sales.v1.order_service_pb2 import ListOrdersRequest
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.tour.cdnow import today
from tests.system.erp import STATUSES, Erp, Told


def test_a_customer_sees_the_own_record_and_orders_only(
    gateway: Gateway, admin: Session, erp: Account
) -> None:
    feed, session = Erp(f"portal {uuid4().hex[:8]}"), erp.session()
    feed.record_people(session, 2)
    [number, other] = sorted(feed.ids)
    day = today() - timedelta(days=10)
    feed.tell_orders(
        session,
        [Told(f"{feed.source}:{one}", 1, one, day, Decimal(9), STATUSES[0]) for one in (number, other)],
    )
    login, password = f"customer-{uuid4().hex[:8]}", secrets.token_urlsafe(12)
    user = User(login=login, role_ids=["customer"], customer_id=feed.ids[number])
    admin.call(
        admin.directory.CreateUser, CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    )
    me = gateway.password_account(login, password).session()
    mine = me.call(me.customers.GetCustomer, GetCustomerRequest(id=feed.ids[number]))
    assert mine == session.call(session.customers.GetCustomer, GetCustomerRequest(id=feed.ids[number]))
    assert [one.id for one in me.call(me.customers.ListCustomers, ListCustomersRequest()).customers] == [
        mine.id
    ]
    assert me.call(me.customers.GetCustomerView, GetCustomerViewRequest(id=mine.id)).customer == mine
    orders = me.call(me.orders.ListOrders, ListOrdersRequest()).orders
    assert [order.external_id.value for order in orders] == [f"{feed.source}:{number}"]
    with pytest.raises(Refused) as refused:
        me.call(me.customers.GetCustomer, GetCustomerRequest(id=feed.ids[other]))
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
