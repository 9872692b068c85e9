"""One shape for every refusal, whoever refuses: {code, message, details} with one reason."""

from __future__ import annotations

from http.client import HTTPSConnection
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from crm.customer.v1 import customer_pb2, customer_service_pb2
from kernel.rpc import status
from kernel.rpc.admission import Overloaded
from tests.gateway.edge.callers import Answer
from tests.gateway.edge.conftest import Edge

READ = "customer.customers.read"
CREATE = "customer.customers.create"
SERVICE = "/crm.customer.v1.CustomerService"
MIB = 1 << 20


def _check_shape(answer: Answer, http: int, code: int, reason: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (http, "application/json")
    assert set(answer.json) == {"code", "message", "details"}
    assert (answer.json["code"], answer.reason) == (code, reason)
    assert answer.json["message"]
    languages = [detail["locale"] for detail in answer.json["details"] if "locale" in detail]
    assert languages == ["zh-CN"]


def _asking_to_wait(request: Any, context: grpc.ServicerContext) -> Any:
    """As the kernel refuses what may succeed later."""
    status.abort(context, status.to_status(Overloaded(), "en"))


def test_a_caller_of_a_service_that_is_busy_is_told_when_to_come_back(edge: Edge) -> None:
    edge.customer.answers["GetCustomer"] = _asking_to_wait
    token = edge.signer.token([READ])
    answer = edge.json.call("GET", "/v1/customers/1", token=token)
    assert (answer.status, answer.reason, answer.headers["retry-after"]) == (429, "OVERLOADED", "1")
    method = edge.grpc.channel.unary_unary(f"{SERVICE}/GetCustomer")
    call = method.future(b"", metadata=(("authorization", f"Bearer {token}"),))
    assert call.exception() is not None
    assert dict(call.initial_metadata())["retry-after"] == "1"


def _refusing(code: int, reason: str) -> Any:
    """A service that refuses as the kernel does."""

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        refusal = status_pb2.Status(code=code, message="No.")
        for detail in (
            error_details_pb2.ErrorInfo(reason=reason, domain="crm", metadata={"id": "1"}),
            error_details_pb2.LocalizedMessage(locale="zh-CN", message="不行。"),
        ):
            packed = any_pb2.Any()
            packed.Pack(detail)
            refusal.details.append(packed)
        context.abort_with_status(rpc_status.to_status(refusal))

    return answer


@pytest.mark.parametrize(
    ("code", "http"),
    [
        (code_pb2.INVALID_ARGUMENT, 400),
        (code_pb2.FAILED_PRECONDITION, 400),
        (code_pb2.UNAUTHENTICATED, 401),
        (code_pb2.PERMISSION_DENIED, 403),
        (code_pb2.NOT_FOUND, 404),
        (code_pb2.ALREADY_EXISTS, 409),
        (code_pb2.ABORTED, 409),
        (code_pb2.RESOURCE_EXHAUSTED, 429),
        (code_pb2.INTERNAL, 500),
        (code_pb2.UNAVAILABLE, 503),
        (code_pb2.DEADLINE_EXCEEDED, 504),
    ],
)
def test_a_refusal_of_a_service_arrives_as_it_was_said(edge: Edge, code: int, http: int) -> None:
    edge.customer.answers["CreateCustomer"] = _refusing(code, "SOME_REASON")
    token = edge.signer.token([CREATE])
    _check_shape(edge.json.call("POST", "/v1/customers", token=token, body={}), http, code, "SOME_REASON")
    outcome = edge.grpc.call(f"{SERVICE}/CreateCustomer", token=token)
    assert (outcome.code.value[0], outcome.reason) == (code, "SOME_REASON")


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/nothing", "/v1/customers/1/2/3", "/healthz/nobody", "/admin"]
)
def test_an_unknown_path_is_not_found(edge: Edge, path: str) -> None:
    _check_shape(edge.json.call("GET", path, token=edge.signer.token([READ])), 404, 12, "NO_SUCH_METHOD")


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS", "TRACE", "CONNECTED"])
def test_a_method_that_an_address_does_not_have_is_not_found(edge: Edge, method: str) -> None:
    assert edge.json.call(method, "/v1/customers/1").status in (400, 404, 405)
    assert not edge.customer.calls


def test_missing_permission_and_missing_token_differ(edge: Edge) -> None:
    _check_shape(edge.json.call("GET", "/v1/customers/1"), 401, 16, "UNAUTHENTICATED")
    denied = edge.json.call("GET", "/v1/customers/1", token=edge.signer.token())
    _check_shape(denied, 403, 7, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "path", ["/v1/customers/1?nosuch=1", "/v1/customers?pageSize=many", "/v1/customers?fields=ALL"]
)
def test_a_query_that_says_what_does_not_exist_is_refused(edge: Edge, path: str) -> None:
    """A misspelt filter that is ignored would return everything."""
    answer = edge.json.call("GET", path, token=edge.signer.token([READ]))
    _check_shape(answer, 400, 3, "INVALID_REQUEST")
    assert any(name in answer.json["message"] for name in ("nosuch", "page_size", "fields"))


@pytest.mark.parametrize(
    "body",
    [b"{nope", b"[]", b'"text"', b'{"person": {"fullName": 3}}', b'{"createTime": "yesterday"}', b"\xff"],
)
def test_a_body_that_is_not_the_message_is_refused(edge: Edge, body: bytes) -> None:
    answer = edge.json.call("POST", "/v1/customers", token=edge.signer.token([CREATE]), body=body)
    _check_shape(answer, 400, 3, "INVALID_REQUEST")
    assert not edge.customer.calls


def _of_size(field: str, size: int) -> bytes:
    content = b'{"industry": "%s"}'
    if field:
        content = b'{"customers": [' + content + b"]}"
    return content % (b"a" * (size - len(content) + 2))


@pytest.mark.parametrize(("path", "field", "limit"), [("", "", MIB), (":batchCreate", "customers", 4 * MIB)])
def test_a_body_is_at_most_one_mebibyte_and_four_for_a_batch(
    edge: Edge, path: str, field: str, limit: int
) -> None:
    token = edge.signer.token([CREATE])
    fits = edge.json.call("POST", f"/v1/customers{path}", token=token, body=_of_size(field, limit))
    assert fits.status == 200
    larger = edge.json.call("POST", f"/v1/customers{path}", token=token, body=_of_size(field, limit + 1))
    _check_shape(larger, 413, 8, "BODY_TOO_LARGE")
    assert len(edge.customer.calls) == 1


def _chunk(size: int) -> bytes:
    """The JSON of an AppendUpload of so many bytes."""
    return b'{"data": "%s"}' % (b"A" * (size - len(b'{"data": ""}')))


def test_a_method_may_declare_a_larger_body(edge: Edge) -> None:
    token = edge.signer.token(["customer.customers.import"])
    fits = edge.json.call("POST", "/v1/uploads/1:append", token=token, body=_chunk(2 * MIB))
    assert fits.status == 200
    larger = edge.json.call("POST", "/v1/uploads/1:append", token=token, body=_chunk(2 * MIB + 4))
    _check_shape(larger, 413, 8, "BODY_TOO_LARGE")
    other = edge.json.call("POST", "/v1/uploads", token=token, body=_chunk(2 * MIB))
    _check_shape(other, 413, 8, "BODY_TOO_LARGE")


@pytest.mark.parametrize(("method", "limit"), [("CreateCustomer", MIB), ("BatchCreateCustomers", 4 * MIB)])
def test_a_grpc_message_has_the_same_limit(edge: Edge, method: str, limit: int) -> None:
    token = edge.signer.token([CREATE])
    kind = {
        "CreateCustomer": lambda text: customer_service_pb2.CreateCustomerRequest(request_id=text),
        "BatchCreateCustomers": lambda text: customer_service_pb2.BatchCreateCustomersRequest(
            request_id=text
        ),
    }[method]
    assert (
        edge.grpc.call(f"{SERVICE}/{method}", kind("a" * (limit - 16)), token=token).code
        is grpc.StatusCode.OK
    )
    outcome = edge.grpc.call(f"{SERVICE}/{method}", kind("a" * limit), token=token)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE")


def test_a_long_answer_arrives_whole(edge: Edge) -> None:
    """200 customers with all their fields are more than a mebibyte."""
    tags = ["a" * 1000] * 3000
    edge.customer.answers["GetCustomer"] = lambda request, context: customer_pb2.Customer(tags=tags)
    answer = edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ]))
    assert answer.json == {"tags": tags}


def test_headers_without_end_are_refused(edge: Edge) -> None:
    for headers in ({"x-long": "a" * 40_000}, {f"x-{number}": "a" for number in range(120)}):
        answer = edge.json.call("GET", "/v1/auth:self", headers=headers)
        _check_shape(answer, 431, 8, "HEADERS_TOO_LARGE")


def test_two_lengths_of_one_body_are_refused(edge: Edge) -> None:
    """Request smuggling lives on servers that disagree about where a body ends."""
    connection: HTTPSConnection = edge.json.connect()
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("content-length", "5")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders(b"0\r\n\r\n")
    assert connection.getresponse().status == 400
    connection.close()
    assert not edge.customer.calls
