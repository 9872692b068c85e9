"""The client of the gateway, against one that misbehaves."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm_cli.client import Gateway, JsonAnswer, Refused, Session, TimedOut, wait_until

PASSWORD = "a long password"
REQUEST = CreateCustomerRequest(customer=Customer(), request_id="one and the same")


def create(session: Session) -> Any:
    return session.call(session.customers.CreateCustomer, REQUEST)


@pytest.mark.parametrize(
    "failure",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
    ],
)
def test_a_passing_failure_is_answered_by_sending_the_same_request_again(
    gateway: Gateway, unruly: Any, failure: grpc.StatusCode
) -> None:
    unruly.failures = [failure, failure]
    session = gateway.password_account("li.na", PASSWORD).session()
    assert create(session).id == "1"
    assert unruly.requests == [REQUEST] * 3


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that the client makes, and nobody else in this process; none takes any time."""
    made: list[float] = []
    monkeypatch.setattr("crm_cli.client.time", SimpleNamespace(sleep=made.append, monotonic=time.monotonic))
    return made


def test_whoever_calls_too_often_waits_as_long_as_retry_after_says(
    gateway: Gateway, unruly: Any, waits: list[float]
) -> None:
    unruly.failures, unruly.retry_after = [grpc.StatusCode.RESOURCE_EXHAUSTED], "7"
    session = gateway.password_account("li.na", PASSWORD).session()
    assert create(session).id == "1"
    assert waits == [7.0]


def test_by_json_too(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    answers = [JsonAnswer(429, None, 7.0), JsonAnswer(503, None), JsonAnswer(200, {})]
    monkeypatch.setattr(Gateway, "_http", lambda *_: answers.pop(0))
    assert gateway.json("GET", "/v1/customers").status == 200
    assert waits == [7.0, 0.2]


def test_whoever_must_stay_away_for_long_is_told_so(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.setattr(Gateway, "_http", lambda *_: JsonAnswer(429, None, 3600.0))
    assert (gateway.json("POST", "/v1/auth:login").status, waits) == (429, [])


@pytest.mark.parametrize(
    "failure",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL],
)
def test_a_lasting_refusal_is_raised_at_once_with_its_code(
    gateway: Gateway, unruly: Any, failure: grpc.StatusCode
) -> None:
    unruly.failures = [failure]
    session = gateway.password_account("li.na", PASSWORD).session()
    with pytest.raises(Refused) as raised:
        create(session)
    assert raised.value.code is failure
    assert len(unruly.requests) == 1


def test_a_token_that_is_refused_is_replaced_once(gateway: Gateway, unruly: Any) -> None:
    session = gateway.password_account("li.na", PASSWORD).session()
    create(session)
    unruly.valid = "revoked meanwhile"
    assert create(session).id == "1"
    assert unruly.sign_ins == ["login", "login"]


def test_a_token_about_to_expire_is_refreshed(gateway: Gateway, unruly: Any) -> None:
    unruly.expires_in = 0
    account = gateway.password_account("li.na", PASSWORD)
    first = account.token()
    wait_until(lambda: account.token() != first or None, seconds=10)
    assert unruly.sign_ins[:2] == ["login", "refresh"]


def test_when_refreshing_fails_the_password_still_works(gateway: Gateway, unruly: Any) -> None:
    unruly.expires_in = 0
    account = gateway.password_account("li.na", PASSWORD)
    account.token()
    unruly.valid = "the session has ended"
    wait_until(lambda: account.token() == "token 2" or None, seconds=10)
    assert unruly.sign_ins[:2] == ["login", "login"]


def test_a_wrong_password_is_raised(gateway: Gateway, unruly: Any) -> None:
    with pytest.raises(Refused) as raised:
        gateway.password_account("li.na", "wrong").token()
    assert raised.value.code is grpc.StatusCode.UNAUTHENTICATED


def test_accounts_on_two_connections_share_one_sign_in(gateway: Gateway, unruly: Any) -> None:
    account = gateway.password_account("li.na", PASSWORD)
    create(account.session())
    create(account.session())
    assert unruly.sign_ins == ["login"]


def test_waiting_ends_with_an_error_when_time_is_up() -> None:
    with pytest.raises(TimedOut):
        wait_until(lambda: None, seconds=0.05, pause=0.01)
