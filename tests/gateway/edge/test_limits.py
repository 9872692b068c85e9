"""Nobody may keep the others from being served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection

import grpc
import pytest
from google.rpc import error_details_pb2

from tests.gateway.edge.certificates import Authority
from tests.gateway.edge.conftest import SERVED, Edge, opened, settings_for, start

READ = "customer.customers.read"
CUSTOMER = "/v1/customers/1"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Edge]:
    """An edge that allows five calls a second, ten at once, and service accounts as many again."""
    services = {name: start(name, authority) for name in SERVED}
    settings = settings_for(
        tmp_path_factory.mktemp("strict"),
        authority,
        {name: [service.address] for name, service in services.items()},
        user_calls_per_second=5,
        account_calls_per_second=10,
        anonymous_calls_per_second=5,
    )
    with opened(settings, services, authority) as edge:
        yield edge


@pytest.fixture
def connection(strict: Edge) -> Iterator[HTTPSConnection]:
    """Kept open, so that many calls fit into a second."""
    with closing(strict.json.connect()) as connection:
        yield connection


def test_a_caller_who_calls_too_often_is_told_when_to_come_back(
    strict: Edge, connection: HTTPSConnection
) -> None:
    token = strict.signer.token([READ], sub="hasty")
    answers = [strict.json.call_on(connection, "GET", CUSTOMER, token=token) for _ in range(40)]
    refused = [answer for answer in answers if answer.status != 200]
    assert answers[0].status == 200
    assert {(answer.status, answer.reason, answer.headers["retry-after"]) for answer in refused} == {
        (429, "RATE_LIMITED", "1")
    }
    outcomes = [
        strict.grpc.call("/crm.customer.v1.CustomerService/GetCustomer", token=token) for _ in range(40)
    ]
    limited = [outcome for outcome in outcomes if outcome.code is not grpc.StatusCode.OK]
    assert {(outcome.code, outcome.reason) for outcome in limited} == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    }
    retry = error_details_pb2.RetryInfo()
    assert [retry.retry_delay.seconds for detail in limited[0].status.details if detail.Unpack(retry)] == [1]


def test_a_program_may_call_more_often_than_a_person(strict: Edge, connection: HTTPSConnection) -> None:
    allowed = {}
    for kind in ("user", "service_account"):
        token = strict.signer.token([READ], sub=f"some {kind}", kind=kind)
        answer = strict.json.call_on(connection, "GET", CUSTOMER, token=token)
        allowed[kind] = answer.headers["x-ratelimit-limit"]
    assert {kind: int(said.split(",")[0]) for kind, said in allowed.items()} == {
        "user": 10,
        "service_account": 20,
    }


def test_the_service_hears_whose_call_it_is_and_no_caller_says_so(strict: Edge) -> None:
    strict.customer.forget()
    token = strict.signer.token([READ], sub="somebody")
    strict.json.call("GET", CUSTOMER, token=token, headers={"x-crm-caller": "another"})
    strict.grpc.call(
        "/crm.customer.v1.CustomerService/GetCustomer", token=token, metadata={"x-crm-caller": "another"}
    )
    assert [call.metadata["x-crm-caller"] for call in strict.customer.calls] == ["somebody"] * 2


def test_a_new_token_of_the_same_caller_does_not_help(strict: Edge, connection: HTTPSConnection) -> None:
    statuses = [
        strict.json.call_on(
            connection, "GET", CUSTOMER, token=strict.signer.token([READ], sub="clever", iat_ms=n)
        )
        for n in range(40)
    ]
    assert 429 in {answer.status for answer in statuses}


def test_other_callers_are_not_affected(strict: Edge, connection: HTTPSConnection) -> None:
    hasty = strict.signer.token([READ], sub="hasty too")
    for _ in range(40):
        strict.json.call_on(connection, "GET", CUSTOMER, token=hasty)
    for other in ("patient", "calm"):
        token = strict.signer.token([READ], sub=other)
        assert strict.json.call_on(connection, "GET", CUSTOMER, token=token).status == 200


def test_signing_in_is_limited_by_address(strict: Edge, connection: HTTPSConnection) -> None:
    answers = [
        strict.json.call_on(connection, "POST", "/v1/auth:login", body={"login": str(n)}) for n in range(40)
    ]
    assert {answer.status for answer in answers} == {200, 429}
    token = strict.signer.token([READ], sub="signed in")
    assert strict.json.call_on(connection, "GET", CUSTOMER, token=token).status == 200


def test_a_forged_token_uses_up_nobodys_calls(strict: Edge, connection: HTTPSConnection) -> None:
    victim = strict.signer.token([READ], sub="victim")
    for _ in range(40):
        forged = victim[:-20] + "A" * 20
        assert strict.json.call_on(connection, "GET", CUSTOMER, token=forged).status == 401
    assert strict.json.call_on(connection, "GET", CUSTOMER, token=victim).status == 200
