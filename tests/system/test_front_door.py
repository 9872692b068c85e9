"""The front door as strict as in production: limits, load, keys that change, people of an OpenID provider.

Its installation has few threads and narrow limits, so that little is too much.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import jwt
import psycopg
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from sqlalchemy import create_engine
from sqlalchemy.orm import Session as Transaction

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    GetCustomerRequest,
    ListCustomersRequest,
)
from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest, CreateUserRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount, User
from crm_cli.client import Account, Gateway, Session
from crm_cli.local.stack import StackInfo
from kernel.jobs import deferral
from tests.gateway.edge.certificates import Authority
from tests.support.provider import DOMAIN, Provider, code_flow, new_key
from tests.support.servers import free_port
from tests.support.stack import private_stack
from tests.system.behind import Behind, until

LIST = "/crm.customer.v1.CustomerService/ListCustomers"
GET = "/crm.customer.v1.CustomerService/GetCustomer"
CONSOLE, REDIRECT = "console", "https://localhost/signed-in"
NOBODY = "01890000-0000-7000-8000-000000000000"
USER_CALLS, ACCOUNT_CALLS, OF_ONE = 20, 60, 6
_THREADS, _QUEUE = 2, 24
_DEADLINE = 30.0
# How many times what it can the service is asked to do, for how many seconds.
_OVERLOAD, _SECONDS = 4, 3.0


@dataclass(frozen=True)
class Door:
    info: StackInfo
    behind: Behind
    gateway: Gateway
    admin: Session
    provider: Provider

    def program(self) -> Account:
        """A service account of its own, that may do what an ERP may."""
        account = ServiceAccount(name=f"door {uuid4().hex[:8]}", role_ids=["integration"])
        request = CreateServiceAccountRequest(service_account=account, request_id=str(uuid4()))
        made = self.admin.call(self.admin.directory.CreateServiceAccount, request)
        return self.gateway.secret_account(made.service_account.id, made.client_secret)

    def person(self, login: str) -> Account:
        password = f"password {uuid4().hex}"
        user = User(login=login, display_name=login, role_ids=["seller"])
        request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
        self.admin.call(self.admin.directory.CreateUser, request)
        return self.gateway.password_account(login, password)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    clients = [{"id": CONSOLE, "algorithm": "ES256", "redirect": REDIRECT}]
    provider = Provider(Authority(tmp_path_factory.mktemp("provider")), free_port(), clients)
    believed = {
        "issuer": provider.issuer,
        "audience": CONSOLE,
        "email_domain": DOMAIN,
        "ca": str(provider.authority.file),
    }
    settings = {
        "CRM_OIDC_PROVIDERS": json.dumps([believed]),
        "CRM_EDGE_USER_CALLS_PER_SECOND": str(USER_CALLS),
        "CRM_EDGE_ACCOUNT_CALLS_PER_SECOND": str(ACCOUNT_CALLS),
        "CRM_GRPC_THREADS": str(_THREADS),
        "CRM_GRPC_QUEUE": str(_QUEUE),
        "CRM_GRPC_CALLS_OF_ONE": str(OF_ONE),
    }
    provider.restart(new_key("first", "ES256"))
    try:
        with private_stack("test-door", environment=settings) as info:
            gateway = Gateway(info.gateway_url, Path(info.ca_file))
            admin = gateway.password_account(info.admin_login, info.admin_password).session()
            behind = Behind(info)
            behind.await_well()
            yield Door(info, behind, gateway, admin, provider)
    finally:
        provider.stop()


@pytest.fixture(scope="module", autouse=True)
def all_well(door: Door) -> None:
    """In place of the one that asks for everybody's installation: this is another."""


@pytest.fixture(autouse=True)
def well(door: Door) -> Iterator[None]:
    """Whatever was asked of it, the system is well afterwards, by the same processes."""
    before = {process.name: process.pid for process in door.behind.stack.processes}
    yield
    door.behind.await_well()
    assert {process.name: process.pid for process in door.behind.stack.processes} == before


def asked(channel: grpc.Channel, method: str, request: Any, account: Account) -> Any:
    """A call that has begun."""
    call = channel.unary_unary(method, request_serializer=lambda message: message.SerializeToString())
    metadata = (("authorization", f"Bearer {account.token()}"),)
    return call.future(request, timeout=_DEADLINE, metadata=metadata)


def answer(call: Any) -> str:
    """OK or the reason; whoever may come back is told when, in both ways."""
    error = call.exception()
    if error is None:
        return "OK"
    status = rpc_status.from_call(error)
    assert status is not None, error
    info, wait = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    [reason] = [info.reason for detail in status.details if detail.Unpack(info)]
    if error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
        assert any(detail.Unpack(wait) for detail in status.details), reason
        assert int(dict([*error.initial_metadata(), *error.trailing_metadata()])["retry-after"]) >= 1, reason
    return str(reason)


@pytest.mark.parametrize(("kind", "calls"), [("user", USER_CALLS), ("service account", ACCOUNT_CALLS)])
def test_who_calls_too_often_is_told_when_to_come_back(door: Door, kind: str, calls: int) -> None:
    hasty = door.person(f"hasty.{uuid4().hex[:6]}") if kind == "user" else door.program()
    with door.gateway.channel() as channel:
        begun = [asked(channel, GET, GetCustomerRequest(id=NOBODY), hasty) for _ in range(10 * calls)]
        told = Counter(answer(call) for call in begun)
    assert told["RATE_LIMITED"]
    # What one may do at once after a pause.
    assert sum(told.values()) - told["RATE_LIMITED"] >= 2 * calls
    other = door.program()
    with door.gateway.channel() as channel:
        assert answer(asked(channel, GET, GetCustomerRequest(id=NOBODY), other)) == "CUSTOMER_NOT_FOUND"


def test_one_caller_does_not_take_the_place_of_all_others(door: Door) -> None:
    """While the database makes everybody wait, a program has so many calls under way and no more."""
    hasty, patient = door.program(), door.program()
    # A statement waits 5 s for a lock: nobody signs in meanwhile.
    assert hasty.token() != patient.token()
    with door.gateway.channel() as channel:
        with _customers_locked(door):
            begun = [asked(channel, GET, GetCustomerRequest(id=NOBODY), hasty) for _ in range(OF_ONE + 4)]
            until("some are refused", lambda: sum(call.done() for call in begun) == 4)
            others = [asked(channel, GET, GetCustomerRequest(id=NOBODY), patient) for _ in range(2)]
        assert {answer(call) for call in others} == {"CUSTOMER_NOT_FOUND"}
        taken = Counter(answer(call) for call in begun)
    assert taken == {"TOO_MANY_AT_ONCE": 4, "CUSTOMER_NOT_FOUND": OF_ONE}


@contextmanager
def _customers_locked(door: Door) -> Iterator[None]:
    """Inside, no statement about customers goes on."""
    with psycopg.connect(door.behind.url("customer")) as connection:
        connection.execute("lock table app.customers in access exclusive mode")
        yield
        connection.rollback()


def test_more_than_it_can_is_refused_at_once_and_what_matters_is_answered(door: Door) -> None:
    """Calls come whether or not those before were answered, four times as many as can be; then it is over."""
    programs = [door.program() for _ in range(8)]
    critical = programs.pop().session()
    request = ListCustomersRequest(page_size=200)
    _fill(critical, 60)
    with door.gateway.channel() as channel:
        can = _answered_in_a_second(channel, request, programs)
        begun, commands = [], []
        pause, ends = 1 / (_OVERLOAD * can), time.monotonic() + _SECONDS
        due = time.monotonic()
        while time.monotonic() < ends:
            begun.append(asked(channel, LIST, request, programs[len(begun) % len(programs)]))
            if len(begun) % (_OVERLOAD * can) == 1:
                commands.append(threading.Thread(target=_fill, args=(critical, 1)))
                commands[-1].start()
                assert door.gateway.json("GET", "/healthz").status == 200
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))
        told = Counter(answer(call) for call in begun)
        for command in commands:
            command.join()
        assert commands
        assert told["OK"], told
        assert told["OVERLOADED"] + told["TOO_MANY_AT_ONCE"] + told["RATE_LIMITED"], told
        assert set(told) <= {"OK", "OVERLOADED", "TOO_MANY_AT_ONCE", "RATE_LIMITED"}, told
        until("it answers again", lambda: answer(asked(channel, LIST, request, programs[0])) == "OK")


def _fill(session: Session, people: int) -> None:
    """Records people; raises when one is refused for good."""
    for number in range(people):
        person = Person(full_name=f"王{number}", phones=[f"138{number:08}"])
        request = CreateCustomerRequest(
            customer=Customer(person=person), request_id=str(uuid4()), allow_duplicate=True
        )
        assert session.call(session.customers.CreateCustomer, request).id


def _answered_in_a_second(channel: grpc.Channel, request: Any, programs: list[Account]) -> int:
    """How many are answered when each caller waits for its answer."""
    answered: list[int] = []

    def work(program: Account) -> None:
        ends, mine = time.monotonic() + 2.0, 0
        while time.monotonic() < ends:
            mine += answer(asked(channel, LIST, request, program)) == "OK"
        answered.append(mine)

    threads = [threading.Thread(target=work, args=(program,)) for program in programs[:_THREADS]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(5, sum(answered) // 2)


def test_no_call_is_refused_while_the_signing_key_rotates(door: Door) -> None:
    """The next key signs, the job makes another and withdraws the old one; programs call all the while."""
    programs = [door.program() for _ in range(2)]
    old = _kid(programs[0].token())
    last = programs[0].token()
    with _calling(door, programs) as calls, psycopg.connect(door.behind.url("gateway")) as database:
        # It was published long ago; from now on it signs.
        database.execute("update app.signing_keys set signs_from = now() where signs_from > now()")
        database.commit()

        def signs() -> bool:
            return all(_kid(program.token()) != old for program in programs)

        until("the next key signs", signs)
        # As if the tokens of the old one had expired since.
        database.execute("update app.signing_keys set signs_from = signs_from - interval '1 hour'")
        database.commit()
        _rotate(door)
        until("the old key is withdrawn", lambda: old not in _published(door))
        assert len(_published(door)) == 2
        seen = calls.answered
        until("they call on", lambda: calls.refused or calls.answered > seen + 20)
    assert calls.refused == []
    until(
        "its tokens are refused", lambda: door.gateway.json("GET", "/v1/customers", token=last).status == 401
    )


@dataclass
class _Calls:
    answered: int = 0
    refused: list[str] = field(default_factory=list)


@contextmanager
def _calling(door: Door, programs: list[Account]) -> Iterator[_Calls]:
    """Inside, programs call again and again, each time with a new token."""
    seen = _Calls()
    ending = threading.Event()

    def work(program: Account) -> None:
        with door.gateway.channel() as channel:
            while not ending.wait(0.1):
                program.forget(program.token())
                told = answer(asked(channel, GET, GetCustomerRequest(id=NOBODY), program))
                if told == "CUSTOMER_NOT_FOUND":
                    seen.answered += 1
                else:
                    seen.refused.append(told)

    threads = [threading.Thread(target=work, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _rotate(door: Door) -> None:
    """Lets the jobs process do now what it does each hour."""
    url = door.behind.url("gateway")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with Transaction(engine) as session:
        session.connection().exec_driver_sql("set search_path = app, jobs")
        deferral.defer(session, "rotate_keys", {})
        session.commit()
    engine.dispose()


def _published(door: Door) -> set[str]:
    body = door.gateway.json("GET", "/.well-known/jwks.json").body or {}
    return {key["kid"] for key in body["keys"]}


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_somebody_of_the_enterprise_signs_in_with_its_provider(door: Door) -> None:
    """By the code flow with PKCE, as a page does; the id token is exchanged for ours."""
    login = f"li.na.{uuid4().hex[:6]}"
    door.person(login)

    def exchange(token: str) -> Any:
        return door.gateway.json("POST", "/v1/auth:exchange", {"subjectToken": token})

    id_token = code_flow(door.provider, CONSOLE, REDIRECT, login)
    said = exchange(id_token)
    assert said.status == 200
    me = door.gateway.json("GET", "/v1/auth:self", token=said.body["accessToken"])
    assert (me.status, me.body["login"]) == (200, login)
    # The provider's own token opens nothing, and one of somebody unknown is exchanged for nothing.
    assert door.gateway.json("GET", "/v1/auth:self", token=id_token).status == 401
    assert exchange(code_flow(door.provider, CONSOLE, REDIRECT, "nobody.of.ours")).status == 401
