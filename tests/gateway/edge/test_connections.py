"""TLS 1.3 outside, mutual TLS inside, and nothing that a caller only claims reaches a service."""

from __future__ import annotations

import json
import socket
import ssl

import grpc
import pytest

from tests.gateway.edge.conftest import Edge
from tests.gateway.edge.tokens import CALLER

READ = "customer.customers.read"


def test_tls_1_2_is_refused_outside(edge: Edge) -> None:
    connection = edge.json.connect(newest=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        connection.connect()


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_both_http_versions_are_offered(edge: Edge, protocol: str) -> None:
    context = ssl.create_default_context(cafile=str(edge.authority.file))
    context.set_alpn_protocols([protocol])
    with (
        socket.create_connection(("127.0.0.1", edge.json.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert (connection.version(), connection.selected_alpn_protocol()) == ("TLSv1.3", protocol)


def test_services_see_envoy_and_no_certificate_of_the_caller(edge: Edge) -> None:
    edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ]))
    assert edge.customer.calls[0].peer == ["spiffe://crm/envoy"]


FORGED = {
    "x-forwarded-client-cert": 'URI="spiffe://crm/sales"',
    "x-envoy-original-path": "/v1/nothing",
    "x-envoy-original-method": "DELETE",
    "x-envoy-external-address": "203.0.113.9",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-retry-on": "5xx",
    "x-envoy-max-retries": "100",
    "x-crm-caller": "admin",
    "x-forwarded-host": "evil.example",
    "x-real-ip": "203.0.113.9",
    "forwarded": "for=203.0.113.9",
}


def test_a_caller_can_not_speak_as_a_machine_of_ours(edge: Edge) -> None:
    token = edge.signer.token([READ])
    forged = {**FORGED, "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http"}
    edge.json.call("GET", "/v1/customers/1", token=token, headers=forged)
    edge.grpc.call("/crm.customer.v1.CustomerService/GetCustomer", token=token, metadata=forged)
    by_json, by_grpc = (call.metadata for call in edge.customer.calls)
    for heard in (by_json, by_grpc):
        assert not {name for name, value in FORGED.items() if heard.get(name) == value}
        assert heard["x-forwarded-for"].split(",")[-1] != "203.0.113.9"
        assert heard["x-envoy-external-address"] == "127.0.0.1"
        assert heard["x-forwarded-proto"] == "https"
    assert by_json["x-envoy-original-path"] == "/v1/customers/1"
    assert "x-envoy-original-path" not in by_grpc


def test_an_original_path_of_the_callers_own_does_not_change_the_shape_of_a_refusal(edge: Edge) -> None:
    outcome = edge.grpc.call(
        "/crm.customer.v1.CustomerService/GetCustomer", metadata={"x-envoy-original-path": "/v1/customers/1"}
    )
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


def test_request_id_and_trace_travel_through(edge: Edge) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"x-request-id": "mine-1", "traceparent": trace, "accept-language": "en"}
    answer = edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ]), headers=headers)
    assert answer.headers["x-request-id"] == "mine-1"
    heard = edge.customer.calls[0].metadata
    assert {name: heard[name] for name in headers} == headers


def test_a_call_without_an_id_gets_one(edge: Edge) -> None:
    answer = edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ]))
    assert answer.headers["x-request-id"] == edge.customer.calls[0].metadata["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing", "/v1/auth:self", "/.well-known/jwks.json"])
def test_every_answer_is_for_its_reader_only(edge: Edge, path: str) -> None:
    headers = edge.json.call("GET", path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["x-request-id"]
    assert not [name for name in headers if name.startswith("x-envoy")]


def test_the_front_page_says_where_the_api_is(edge: Edge) -> None:
    answer = edge.json.call("GET", "/")
    page = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/v1/" in page
    assert "/docs" in page
    assert "http" not in page.replace("https://&lt;this host&gt;", "").replace("HTTPS", ""), "self-contained"


def test_the_log_knows_the_caller_and_not_what_was_asked(edge: Edge) -> None:
    token = edge.signer.token([READ])
    answer = edge.json.call("GET", "/v1/customers?pageToken=13812345678", token=token)
    edge.json.call("GET", "/v1/customers/1?name=13812345678")
    edge.json.call("POST", "/v1/auth:login?x=13812345678", body={"login": "13812345678"})
    edge.grpc.call("/crm.gateway.v1.AuthService/GetSelf", token=token, metadata={"x-request-id": "last"})
    edge.envoy.line("last")
    line = edge.envoy.line(answer.headers["x-request-id"])
    assert isinstance(line.pop("duration_ms"), int)
    assert line | {"time": "", "upstream": "", "bytes_sent": 0} == {
        "time": "",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "path": "/v1/customers",
        "route": "crm.customer.v1.CustomerService/ListCustomers",
        "protocol": "HTTP/1.1",
        "status": 200,
        "grpc_status": "OK",
        "bytes_received": 0,
        "bytes_sent": 0,
        "sub": CALLER,
        "upstream": "",
        "attempts": 1,
        "flags": "-",
        "details": "via_upstream",
    }
    log = json.dumps(edge.envoy.lines())
    assert "13812345678" not in log
    assert token not in log


def test_health_checks_do_not_fill_the_log(edge: Edge) -> None:
    edge.json.call("GET", "/healthz")
    edge.json.call("GET", "/nothing", headers={"x-request-id": "after health"})
    edge.envoy.line("after health")
    assert not [line for line in edge.envoy.lines() if line.get("path") == "/healthz"]
