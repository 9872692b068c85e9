"""One standard for every method: described, refused alike, paged alike, open to newer clients."""

from __future__ import annotations

from typing import Any

import pytest

from crm.gateway.v1.directory_service_pb2 import ListUsersRequest
from crm_cli.client import Gateway, JsonAnswer, Session

_ID = "0198c0de-7a00-7000-8000-000000000001"


@pytest.fixture(scope="module")
def operations(gateway: Gateway) -> list[dict[str, Any]]:
    """Every public method as the installation itself describes it."""
    described = gateway.json("GET", "/openapi.json").body or {}
    return [
        {**content, "verb": verb.upper(), "path": path}
        for path, verbs in described["paths"].items()
        for verb, content in verbs.items()
    ]


def _address(operation: dict[str, Any]) -> str:
    path = str(operation["path"])
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            value = "1" if parameter["schema"].get("type") == "integer" else _ID
            path = path.replace(f"{{{parameter['name']}}}", value)
    return path


def _reason(answer: JsonAnswer) -> str:
    """Of the one ErrorInfo. Whatever refuses, it says {code, message, details}."""
    body = answer.body or {}
    assert set(body) == {"code", "message", "details"}, body
    (info,) = [one for one in body["details"] if one["@type"].endswith("google.rpc.ErrorInfo")]
    assert info["domain"] == "crm"
    return str(info["reason"])


def _takes_a_form(operation: dict[str, Any]) -> bool:
    """Whether its body is for the method alone to read, as what a mail program posts."""
    return "application/json" not in operation["requestBody"]["content"]


@pytest.mark.feature("X-03")
def test_every_method_refuses_alike_what_it_does_not_know(
    gateway: Gateway, admin: Session, operations: list[dict[str, Any]]
) -> None:
    assert len(operations) > 60
    token, wrong = admin.account.token(), []
    for operation in operations:
        address, verb = _address(operation), operation["verb"]
        if operation["security"]:
            nobody = gateway.json(verb, address, {} if "requestBody" in operation else None)
            if (nobody.status, _reason(nobody)) != (401, "UNAUTHENTICATED"):
                wrong.append(f"{verb} {address} without a token: {nobody}")
        if "requestBody" in operation and not _takes_a_form(operation):
            unknown = gateway.json(verb, address, {"noSuchField": 1}, token)
            if (unknown.status, _reason(unknown)) != (400, "UNKNOWN_FIELD"):
                wrong.append(f"{verb} {address} with an unknown field: {unknown}")
        elif "requestBody" not in operation:
            unknown = gateway.json(verb, f"{address}?noSuchParameter=1", token=token)
            if (unknown.status, _reason(unknown)) != (400, "INVALID_REQUEST"):
                wrong.append(f"{verb} {address} with an unknown parameter: {unknown}")
    assert not wrong


def test_every_page_is_turned_alike(gateway: Gateway, operations: list[dict[str, Any]]) -> None:
    schemas = (gateway.json("GET", "/openapi.json").body or {})["components"]["schemas"]
    for operation in operations:
        asked = {one["name"] for one in operation["parameters"]}
        if "pageSize" in asked:
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            answered = schemas[answer.rpartition("/")[2]]["properties"]
            assert "pageToken" in asked, operation["operationId"]
            assert "nextPageToken" in answered, operation["operationId"]


def test_a_client_may_be_newer_than_the_installation(admin: Session) -> None:
    """What the installation does not know yet, it leaves alone."""
    newer = ListUsersRequest.FromString(
        ListUsersRequest(page_size=1).SerializeToString() + b"\xf2\x7f\x03new"
    )
    assert len(admin.call(admin.directory.ListUsers, newer).users) == 1
