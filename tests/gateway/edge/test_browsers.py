"""Browsers: a page of a named origin may call, by JSON and by gRPC-Web; a page of any other may not."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2
from pydantic import ValidationError

from crm.customer.v1 import customer_pb2, customer_service_pb2
from tests.gateway.edge.callers import Answer
from tests.gateway.edge.certificates import Authority
from tests.gateway.edge.conftest import SERVED, Edge, opened, settings_for, start

CONSOLE = "https://console.example"
STRANGER = "https://evil.example"
READ = "customer.customers.read"
METHOD = "/crm.customer.v1.CustomerService/GetCustomer"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Edge]:
    """An edge that pages of CONSOLE may call."""
    services = {name: start(name, authority) for name in SERVED}
    addresses = {name: [service.address] for name, service in services.items()}
    settings = settings_for(
        tmp_path_factory.mktemp("console"),
        authority,
        addresses,
        cors_origins=[CONSOLE, "http://localhost:5173"],
    )
    with opened(settings, services, authority) as edge:
        yield edge


def _preflight(edge: Edge, origin: str, path: str = "/v1/customers/1", verb: str = "PATCH") -> Answer:
    """What a browser asks before it sends a call that a form could not."""
    headers = {
        "origin": origin,
        "access-control-request-method": verb,
        "access-control-request-headers": "authorization,content-type",
    }
    return edge.json.call("OPTIONS", path, headers=headers)


def _sharing(answer: Answer) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("path", ["/v1/customers/1", METHOD])
def test_a_page_of_a_named_origin_may_call(console: Edge, path: str) -> None:
    answer = _preflight(console, CONSOLE, path)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert "access-control-allow-credentials" not in answer.headers


def test_it_can_read_the_answer_and_a_refusal(console: Edge) -> None:
    for token, status in ((console.signer.token([READ]), 200), (None, 401)):
        answer = console.json.call("GET", "/v1/customers/1", token=token, headers={"origin": CONSOLE})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, CONSOLE)
        assert "retry-after" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [STRANGER, f"{CONSOLE}.evil.example", "null", "http://console.example"])
def test_a_page_of_another_origin_may_not(console: Edge, origin: str) -> None:
    assert not _sharing(_preflight(console, origin))
    token = console.signer.token([READ])
    answer = console.json.call("GET", "/v1/customers/1", token=token, headers={"origin": origin})
    assert not _sharing(answer), "the browser keeps the answer from the page"


def test_without_named_origins_no_page_may_call(edge: Edge) -> None:
    assert not _sharing(_preflight(edge, CONSOLE))
    assert edge.settings.cors_origins == []


@pytest.mark.parametrize("origin", ["*", "https://*.example", "console.example", "https://console.example/"])
def test_an_origin_is_named_exactly(edge: Edge, origin: str) -> None:
    with pytest.raises(ValidationError):
        type(edge.settings)(**{**edge.settings.model_dump(), "cors_origins": [origin]})


def _web(edge: Edge, request: Any, token: str | None, *, text: bool = False) -> tuple[bytes, dict[str, str]]:
    """One call as a gRPC-Web client makes it: frames in the body, the trailers as the last of them."""
    content = request.SerializeToString()
    body = b"\x00" + struct.pack(">I", len(content)) + content
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    answer = edge.json.call(
        "POST",
        METHOD,
        token=token,
        body=base64.b64encode(body) if text else body,
        headers={"content-type": kind, "accept": kind, "x-grpc-web": "1", "origin": CONSOLE},
    )
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    return _unframed(base64.b64decode(answer.body) if text else answer.body, answer.headers)


def _unframed(body: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    message = b""
    trailers = {name: value for name, value in headers.items() if name.startswith("grpc-")}
    while body:
        flag, length = struct.unpack(">BI", body[:5])
        part, body = body[5 : 5 + length], body[5 + length :]
        if flag & 0x80:
            lines = part.decode().strip().split("\r\n")
            trailers |= {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
        else:
            message += part
    return message, trailers


@pytest.mark.parametrize("text", [False, True])
def test_a_page_calls_by_grpc_web(console: Edge, text: bool) -> None:
    console.customer.answers["GetCustomer"] = lambda request, context: customer_pb2.Customer(id=request.id)
    request = customer_service_pb2.GetCustomerRequest(id="42")
    message, trailers = _web(console, request, console.signer.token([READ]), text=text)
    assert trailers["grpc-status"] == "0"
    assert customer_pb2.Customer.FromString(message).id == "42"


@pytest.mark.parametrize(
    ("perms", "code", "reason"), [(None, 16, "UNAUTHENTICATED"), ([], 7, "PERMISSION_DENIED")]
)
def test_a_refusal_by_grpc_web_has_its_reason(
    console: Edge, perms: list[str] | None, code: int, reason: str
) -> None:
    token = None if perms is None else console.signer.token(perms)
    _, trailers = _web(console, customer_service_pb2.GetCustomerRequest(id="42"), token)
    assert trailers["grpc-status"] == str(code)
    details = trailers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert [info.reason for detail in status.details if detail.Unpack(info)] == [reason]
