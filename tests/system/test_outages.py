"""A server is away for a while: what goes on, what waits, what is told, and that it comes back by itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1.customer_service_pb2 import (
    CustomerFields,
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
)
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.local.stack import StackInfo
from tests.system.behind import Behind
from tests.system.erp import Erp

_DEADLINE = 10.0  # seconds of one call during an outage
_ONE_A_PAGE = 1


@pytest.fixture(autouse=True)
def well_again(behind: Behind) -> None:
    """Each outage begins when the one before is over."""
    behind.await_well()


@pytest.fixture
def feed(erp: Account) -> Erp:
    """A few people of this test's own, recorded already."""
    feed = Erp(f"outage {uuid4().hex[:8]}")
    feed.record_people(erp.session(), 3)
    return feed


def test_without_the_broker_commands_go_on_and_events_arrive_afterwards(
    behind: Behind, feed: Erp, erp: Account, admin: Session
) -> None:
    behind.await_silence()
    with behind.held("rabbitmq"):
        feed.record_people(erp.session(), 2)
        feed.tell_orders(erp.session(), feed.invent(20))
        during = {number: _order_count(admin, feed, number) for number in feed.ids}
    behind.await_silence()
    told = {number: facts.orders for number, facts in feed.facts().items()}
    after = {number: _order_count(admin, feed, number) for number in told}
    assert (set(during.values()), after) == ({0}, told)
    assert behind.dead_letters() == {}


def test_without_the_keyring_lists_without_personal_fields_go_on(
    behind: Behind, feed: Erp, admin: Session
) -> None:
    _forget_keys(behind)
    with behind.held("postgres-keyring"):
        page = _list(admin, CustomerFields.CUSTOMER_FIELDS_IMPERSONAL)
        following = _list(admin, CustomerFields.CUSTOMER_FIELDS_IMPERSONAL, page.next_page_token)
    assert [len(page.customers), len(following.customers)] == [_ONE_A_PAGE, _ONE_A_PAGE]
    assert page.customers[0].id != following.customers[0].id
    assert not page.customers[0].person.full_name


def test_without_the_keyring_a_person_is_unavailable_until_it_is_back(
    behind: Behind, feed: Erp, admin: Session
) -> None:
    somebody = GetCustomerRequest(id=next(iter(feed.ids.values())))
    _forget_keys(behind)
    with behind.held("postgres-keyring"), pytest.raises(Refused) as refused:
        _once(admin, admin.customers.GetCustomer, somebody)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.UNAVAILABLE, "KEYRING_UNAVAILABLE")
    assert admin.call(admin.customers.GetCustomer, somebody).person.full_name


def test_without_the_keyring_json_tells_the_same_reason(
    behind: Behind, feed: Erp, admin: Session, gateway: Gateway
) -> None:
    path = f"/v1/customers/{next(iter(feed.ids.values()))}"
    _forget_keys(behind)
    token = admin.account.token()
    with behind.held("postgres-keyring"):
        answer = gateway._http("GET", path, None, token)
    assert answer.status == 503, answer
    reasons = [detail["reason"] for detail in (answer.body or {})["details"] if "reason" in detail]
    assert reasons == ["KEYRING_UNAVAILABLE"]


def test_without_the_keyring_orders_go_on(behind: Behind, feed: Erp, erp: Account, admin: Session) -> None:
    session = erp.session()
    feed.tell_orders(session, feed.invent(5))
    with behind.held("postgres-keyring"):
        feed.tell_orders(session, feed.invent(20))
        behind.await_silence()
        after = {number: _recorded(behind, feed, number) for number in feed.facts()}
    assert after == {number: facts.orders for number, facts in feed.facts().items()}


def test_without_redis_people_sign_in(behind: Behind, gateway: Gateway, stack: StackInfo) -> None:
    with behind.held("redis"):
        session = gateway.password_account(stack.admin_login, stack.admin_password).session()
        assert session.call(session.auth.GetSelf, GetSelfRequest()).login == stack.admin_login


def test_without_redis_a_wrong_password_is_refused(
    behind: Behind, gateway: Gateway, stack: StackInfo
) -> None:
    with behind.held("redis"), pytest.raises(Refused) as refused:
        gateway.password_account(stack.admin_login, "not the password").token()
    assert refused.value.code is grpc.StatusCode.UNAUTHENTICATED


def test_without_the_gateways_api_tokens_in_hand_go_on(behind: Behind, admin: Session) -> None:
    admin.account.token()
    with behind.held("gateway.api"):
        page = _list(admin, CustomerFields.CUSTOMER_FIELDS_IMPERSONAL)
    assert page is not None


def _forget_keys(behind: Behind) -> None:
    """A new api process holds no key of any person."""
    behind.await_restart("customer.api", behind.kill("customer.api"))
    behind.await_well()


def _list(session: Session, fields: Any, token: str = "") -> Any:
    request = ListCustomersRequest(page_size=_ONE_A_PAGE, fields=fields, page_token=token)
    return _once(session, session.customers.ListCustomers, request)


def _once(session: Session, method: Any, request: Any) -> Any:
    """One attempt: the client would repeat it until the outage is over."""
    metadata = (("authorization", f"Bearer {session.account.token()}"),)
    try:
        return method(request, timeout=_DEADLINE, metadata=metadata)
    except grpc.RpcError as error:
        raise Refused.of(error) from None


def _order_count(session: Session, feed: Erp, number: str) -> int:
    request = GetCustomerViewRequest(id=feed.ids[number])
    return int(session.call(session.customers.GetCustomerView, request).purchases.order_count)


def _recorded(behind: Behind, feed: Erp, number: str) -> int:
    query = "select count(*) from app.orders where customer_id::text = %s"
    [(count,)] = behind.rows("customer", query, feed.ids[number])
    return int(count)
