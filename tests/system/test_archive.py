"""One archive for everybody, and what each role sees of it."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    GetCustomerRequest,
    GetCustomerViewRequest,
    UpdateCustomerRequest,
)
from crm.gateway.v1.auth_service_pb2 import GetSelfRequest
from crm.gateway.v1.directory_service_pb2 import CreateTeamRequest, CreateUserRequest
from crm.gateway.v1.identity_pb2 import Team, User
from crm_cli.client import Account, Gateway, Refused, Session, wait_until
from crm_cli.tour.cdnow import today
from tests.system.behind import Behind
from tests.system.conftest import Tell
from tests.system.erp import STATUSES, Erp, Told, classes_of

Hire = Callable[..., Session]
_SOON = 60.0  # seconds; events mostly need a fraction of one
_SYNC_LIMIT = 600.0  # seconds
DEPARTMENTS = ("admin", "sales_manager", "agent", "service_manager", "marketer")


@pytest.fixture(scope="module")
def hire(gateway: Gateway, admin: Session) -> Hire:
    """Makes a user in a role, and perhaps a team, who has signed in."""

    def hired(role: str, team_id: str = "") -> Session:
        login, password = f"{role}.{uuid4().hex[:8]}", uuid4().hex
        user = User(login=login, display_name="系统测试", role_ids=[role], team_id=team_id)
        admin.call(
            admin.directory.CreateUser,
            CreateUserRequest(user=user, password=password, request_id=str(uuid4())),
        )
        return gateway.password_account(login, password).session()

    return hired


@pytest.fixture(scope="module")
def team(admin: Session) -> str:
    request = CreateTeamRequest(team=Team(name=f"系统测试 {uuid4().hex[:6]}"), request_id=str(uuid4()))
    return str(admin.call(admin.directory.CreateTeam, request).id)


@pytest.mark.feature("C-01")
def test_a_customer_of_the_erp_is_in_the_archive_of_every_department(
    hire: Hire, team: str, erp: Account, admin: Session
) -> None:
    """Those who see by team see what belongs to their team; everybody reads the same record."""
    owner = hire("seller", team)
    customer_id = _create(erp.session(), owner_id=_id_of(owner)).id
    seen = {role: _once_seen(hire(role, team), customer_id).id for role in DEPARTMENTS}
    assert seen == dict.fromkeys(DEPARTMENTS, customer_id)


@pytest.mark.feature("C-02")
def test_persons_and_companies_are_recorded_with_their_base_fields(gateway: Gateway, erp: Account) -> None:
    person = {
        "fullName": "欧阳建国", "phones": ["138 0013 8000"], "emails": ["Ouyang@Example.com"],
        "streetAddress": "解放路 1 号",
    }  # fmt: skip
    company = {
        "name": "上海示例精密制造有限公司", "phones": ["021-60001234"], "emails": ["info@example.com"],
        "registeredAddress": "浦东新区示例路 2 号", "size": "COMPANY_SIZE_SMALL",
    }  # fmt: skip
    read = [_made_and_read(gateway, erp, body) for body in ({"person": person}, {"company": company})]
    assert read[0]["person"] == person | {"phones": ["+8613800138000"], "emails": ["ouyang@example.com"]}
    assert read[1]["company"] == company | {"phones": ["+862160001234"]}


@pytest.mark.feature("X-01")
def test_a_seller_reaches_their_own_customers_a_manager_the_teams_the_admin_all(
    hire: Hire, team: str, admin: Session
) -> None:
    owner, colleague = hire("seller", team), hire("seller", team)
    manager, stranger = hire("sales_manager", team), hire("sales_manager")
    customer = _create(owner)
    _once_seen(manager, customer.id)
    reads = {
        who: _reaches(session, customer)
        for who, session in {
            "owner": owner, "colleague": colleague, "manager": manager, "stranger": stranger, "admin": admin,
        }.items()
    }  # fmt: skip
    both, none = ("OK", "OK"), ("NOT_FOUND", "NOT_FOUND")
    assert reads == {
        "owner": both, "colleague": none, "manager": both, "stranger": none, "admin": both,
    }  # fmt: skip


@pytest.mark.feature("C-22")
def test_high_value_starts_at_30_days_24_orders_a_year_and_50_000(erp: Account, admin: Session) -> None:
    """On the threshold, and short of it in recency, in frequency, in amount."""
    feed, session = Erp(f"threshold {uuid4().hex[:8]}"), erp.session()
    feed.record_people(session, 4)
    at, late, seldom, cheap = sorted(feed.ids)
    orders = [
        *_regular(feed, at, days_ago=30, count=24, total=50_000),
        *_regular(feed, late, days_ago=31, count=24, total=50_000),
        *_regular(feed, seldom, days_ago=30, count=23, total=50_000),
        *_regular(feed, cheap, days_ago=30, count=24, total=49_999),
    ]
    feed.tell_orders(session, orders)
    expected = {at: "high_value", late: "potential", seldom: "potential", cheap: "potential"}
    wait_until(lambda: True if _rfm(admin, feed) == expected else None, _SOON)
    assert _rfm(admin, feed) == expected


@pytest.mark.feature("X-06")
def test_the_lag_of_synchronisation_is_measured_and_within_ten_minutes(
    behind: Behind, erp: Account, admin: Session, tell: Tell
) -> None:
    feed, session = Erp(f"lag {uuid4().hex[:8]}"), erp.session()
    feed.record_people(session, 1)
    before = _lags(behind)
    feed.tell_orders(session, feed.invent(1))
    [customer_id] = feed.ids.values()
    request = GetCustomerViewRequest(id=customer_id)
    wait_until(
        lambda: admin.call(admin.customers.GetCustomerView, request).purchases.order_count or None, _SOON
    )
    after = wait_until(lambda: now if (now := _lags(behind))[0] > before[0] else None, _SOON)
    measured, seconds = after[0] - before[0], after[1] - before[1]
    tell(f"archive: an order was {seconds / measured:.3f} s behind by the metric event_lag_seconds")
    assert 0 < seconds / measured < _SYNC_LIMIT


def _create(session: Session, owner_id: str = "") -> Customer:
    customer = Customer(person=Person(full_name="系统测试客户"), owner_id=owner_id)
    request = CreateCustomerRequest(customer=customer, request_id=str(uuid4()))
    made: Customer = session.call(session.customers.CreateCustomer, request)
    return made


def _id_of(session: Session) -> str:
    return str(session.call(session.auth.GetSelf, GetSelfRequest()).id)


def _once_seen(session: Session, customer_id: str) -> Customer:
    """The customer as soon as the customer service has heard who belongs to which team."""

    def look() -> Customer | None:
        try:
            seen: Customer = session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
        except Refused as refused:
            if refused.code is not grpc.StatusCode.NOT_FOUND:
                raise
            return None
        return seen

    return wait_until(look, _SOON)


def _reaches(session: Session, customer: Customer) -> tuple[str, str]:
    """How reading and changing it end."""
    read = GetCustomerRequest(id=customer.id)
    change = UpdateCustomerRequest(customer=Customer(id=customer.id, city="上海市"), request_id=str(uuid4()))
    change.update_mask.paths.append("city")
    return (
        _code(lambda: session.call(session.customers.GetCustomer, read)),
        _code(lambda: session.call(session.customers.UpdateCustomer, change)),
    )


def _code(call: Callable[[], object]) -> str:
    try:
        call()
    except Refused as refused:
        return str(refused.code.name)
    return "OK"


def _made_and_read(gateway: Gateway, erp: Account, body: dict[str, Any]) -> dict[str, Any]:
    made = gateway.json("POST", "/v1/customers", body, erp.token())
    assert made.status == 200, made
    read = gateway.json("GET", f"/v1/customers/{(made.body or {})['id']}", None, erp.token())
    assert read.status == 200, read
    return read.body or {}


def _regular(feed: Erp, customer: str, days_ago: int, count: int, total: int) -> list[Told]:
    """So many orders, the newest so many days ago; the first one brings the sum to `total` CNY."""
    rest = Decimal(total - 100 * (count - 1))
    return [
        Told(
            value=f"{feed.source}:{customer}:{number}",
            version=1,
            customer=customer,
            day=today() - timedelta(days=days_ago + number),
            amount=Decimal(100) if number else rest,
            status=STATUSES[0],
        )
        for number in range(count)
    ]


def _rfm(session: Session, feed: Erp) -> dict[str, str]:
    return {
        number: classes_of(
            session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
        ).get("rfm", "")
        for number, customer_id in feed.ids.items()
    }


def _lags(behind: Behind) -> tuple[float, float]:
    """How many lags the customer service has measured of orders, and their sum in seconds."""
    ops = behind.stack.process("customer.events").ops
    with urllib.request.urlopen(f"http://{ops}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = {"count": 0.0, "sum": 0.0}
    for line in lines:
        name, _, value = line.rpartition(" ")
        for which in found:
            if name.startswith(f"event_lag_seconds_{which}{{") and "apply_orders" in name:
                found[which] += float(value)
    return found["count"], found["sum"]
