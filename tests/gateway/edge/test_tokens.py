"""Whoever has no valid token of ours is told so, by JSON and by gRPC, and nothing reaches the service."""

from __future__ import annotations

import time

import grpc
import pytest

from tests.gateway.edge.conftest import Edge
from tests.gateway.edge.forgeries import FORGERIES, READ

GET_CUSTOMER = "/crm.customer.v1.CustomerService/GetCustomer"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_json_call_passes_with(edge: Edge, forgery: str) -> None:
    header = FORGERIES[forgery](edge.signer)
    headers = {} if header is None else {"authorization": header}
    answer = edge.json.call("GET", "/v1/customers/1", headers=headers)
    assert (answer.status, answer.json["code"], answer.reason) == (401, 16, "UNAUTHENTICATED")
    assert not edge.customer.calls


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_grpc_call_passes_with(edge: Edge, forgery: str) -> None:
    header = FORGERIES[forgery](edge.signer)
    metadata = {} if header is None else {"authorization": header.strip()}
    outcome = edge.grpc.call(GET_CUSTOMER, metadata=metadata)
    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert outcome.reason == "UNAUTHENTICATED"
    assert not edge.customer.calls


def test_a_token_in_the_address_is_not_taken(edge: Edge) -> None:
    """Addresses end up in logs and histories."""
    token = edge.signer.token([READ])
    for parameter in ("access_token", "token"):
        answer = edge.json.call("GET", f"/v1/customers/1?{parameter}={token}")
        assert answer.status in (400, 401)
    assert not edge.customer.calls


def test_a_token_in_a_cookie_is_not_taken(edge: Edge) -> None:
    """Browsers send cookies along with requests of other sites."""
    token = edge.signer.token([READ])
    answer = edge.json.call("GET", "/v1/customers/1", headers={"cookie": f"access_token={token}"})
    assert answer.status == 401


def test_a_valid_token_reaches_the_service_whole(edge: Edge) -> None:
    """The service verifies it again."""
    token = edge.signer.token([READ])
    assert edge.json.call("GET", "/v1/customers/1", token=token).status == 200
    assert edge.grpc.call(GET_CUSTOMER, token=token).code is grpc.StatusCode.OK
    assert [call.metadata["authorization"] for call in edge.customer.calls] == [f"Bearer {token}"] * 2


def test_an_old_token_does_not_keep_anyone_from_signing_in(edge: Edge) -> None:
    expired = edge.signer.token(exp=int(time.time()) - 60)
    body = {"login": "admin", "password": "…"}
    assert edge.json.call("POST", "/v1/auth:login", token=expired, body=body).status == 200
