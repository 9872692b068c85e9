"""Servers that drain, vanish, linger or lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from crm.customer.v1 import customer_pb2
from tests.gateway.edge.certificates import Authority
from tests.gateway.edge.conftest import SERVED, Edge, free_port, opened, settings_for, start
from tests.gateway.edge.envoy import until
from tests.gateway.edge.services import Service, serve

READ = "customer.customers.read"
CREATE = "customer.customers.create"
SERVICE = "/crm.customer.v1.CustomerService"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[tuple[Edge, Service]]:
    """An edge before two servers of customer."""
    services = {name: start(name, authority) for name in SERVED}
    second = start("customer", authority)
    addresses = {name: [service.address] for name, service in services.items()}
    addresses["customer"].append(second.address)
    with opened(
        settings_for(tmp_path_factory.mktemp("twins"), authority, addresses), services, authority
    ) as edge:
        until(lambda: edge.envoy.stat("cluster.customer.membership_healthy") == 2, "both are healthy")
        yield edge, second
    second.stop()


def _refuse(request: Any, context: grpc.ServicerContext) -> Any:
    context.abort(grpc.StatusCode.UNAVAILABLE, "busy")


def test_a_draining_server_gets_no_more_calls(twins: tuple[Edge, Service]) -> None:
    edge, second = twins
    second.say(serving=False)
    until(lambda: edge.envoy.stat("cluster.customer.membership_healthy") == 1, "Envoy has noticed")
    second.forget()
    token = edge.signer.token([READ])
    assert {edge.json.call("GET", "/v1/customers/1", token=token).status for _ in range(20)} == {200}
    assert not second.calls
    assert edge.json.call("GET", "/healthz").status == 200
    second.say(serving=True)
    until(lambda: edge.envoy.stat("cluster.customer.membership_healthy") == 2, "it is back")


def test_a_read_that_one_server_refuses_is_answered_by_the_other(twins: tuple[Edge, Service]) -> None:
    edge, second = twins
    second.answers["GetCustomer"] = _refuse
    token = edge.signer.token([READ])
    assert {edge.json.call("GET", "/v1/customers/1", token=token).status for _ in range(20)} == {200}
    second.forget()


def test_reads_are_tried_four_times_and_writes_once(edge: Edge) -> None:
    """Nobody knows whether a write that failed was done."""
    edge.customer.answers.update(GetCustomer=_refuse, CreateCustomer=_refuse)
    token = edge.signer.token([READ, CREATE])
    assert edge.json.call("GET", "/v1/customers/1", token=token).status == 503
    assert len(edge.customer.calls) == 4
    assert edge.json.call("POST", "/v1/customers", token=token, body={}).status == 503
    assert [call.method for call in edge.customer.calls[4:]] == ["CreateCustomer"]


def test_a_batch_that_says_it_is_idempotent_is_tried_again(edge: Edge) -> None:
    sales = edge.services["sales"]
    sales.answers["BatchUpsertOrders"] = _refuse
    token = edge.signer.token(["sales.orders.write"])
    assert edge.json.call("POST", "/v1/orders:batchUpsert", token=token, body={}).status == 503
    assert len(sales.calls) == 4


def test_other_refusals_are_not_tried_again(edge: Edge) -> None:
    edge.customer.answers["GetCustomer"] = lambda request, context: context.abort(
        grpc.StatusCode.INTERNAL, "no"
    )
    assert edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ])).status == 500
    assert len(edge.customer.calls) == 1


def test_a_call_without_a_deadline_gets_fifteen_seconds(edge: Edge) -> None:
    token = edge.signer.token([READ])
    edge.json.call("GET", "/v1/customers/1", token=token)
    edge.grpc.call(f"{SERVICE}/GetCustomer", token=token)
    assert all(10 < call.seconds_left < 16 for call in edge.customer.calls)


def test_a_callers_deadline_is_kept_and_capped(edge: Edge) -> None:
    token = edge.signer.token([READ])
    edge.grpc.call(f"{SERVICE}/GetCustomer", token=token, timeout=30)
    edge.grpc.call(f"{SERVICE}/GetCustomer", token=token, timeout=3600)
    short, long = (call.seconds_left for call in edge.customer.calls)
    assert 20 < short < 31
    assert 50 < long < 61


def test_a_call_ends_at_its_deadline(edge: Edge) -> None:
    released = threading.Event()

    def linger(request: Any, context: grpc.ServicerContext) -> Any:
        released.wait(30)
        return customer_pb2.Customer()

    edge.customer.answers["GetCustomer"] = linger
    headers = {"grpc-timeout": "1000m"}
    token = edge.signer.token([READ])
    try:
        answer = edge.json.call("GET", "/v1/customers/1", token=token, headers=headers)
        assert (answer.status, answer.json["code"], answer.reason) == (504, 4, "DEADLINE_EXCEEDED")
        outcome = edge.grpc.call(f"{SERVICE}/GetCustomer", token=token, metadata=headers)
        assert outcome.code is grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        released.set()


def test_a_server_that_ends_the_call_first_answers_no_less(edge: Edge) -> None:
    """What grpc says of itself at a deadline is a code and no details."""
    edge.customer.answers["GetCustomer"] = lambda request, context: context.abort(
        grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"
    )
    token = edge.signer.token([READ])
    answer = edge.json.call("GET", "/v1/customers/1", token=token)
    assert (answer.status, answer.json["code"], answer.reason) == (504, 4, "DEADLINE_EXCEEDED")
    outcome = edge.grpc.call(f"{SERVICE}/GetCustomer", token=token)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


def test_a_service_that_is_away_is_unavailable_and_the_others_go_on(
    tmp_path: Path, authority: Authority
) -> None:
    services = {name: start(name, authority) for name in SERVED}
    settings = settings_for(tmp_path, authority, {name: [it.address] for name, it in services.items()})
    with opened(settings, services, authority) as edge:
        customer = services["customer"]
        customer.stop()
        token = edge.signer.token([READ, CREATE, "sales.orders.read"])
        for method, path in (("GET", "/v1/customers/1"), ("POST", "/v1/customers")):
            answer = edge.json.call(method, path, token=token, body=None if method == "GET" else {})
            assert (answer.status, answer.json["code"], answer.reason) == (503, 14, "UNAVAILABLE")
        outcome = edge.grpc.call(f"{SERVICE}/GetCustomer", token=token)
        assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
        assert edge.json.call("GET", "/v1/orders/1", token=token).status == 200

        until(lambda: edge.json.call("GET", "/healthz").status == 503, "Envoy has noticed")
        unwell = edge.json.call("GET", "/healthz")
        assert (unwell.json["code"], unwell.reason) == (14, "UNHEALTHY")
        assert edge.json.call("GET", "/healthz/customer").status == 503
        assert edge.json.call("GET", "/healthz/sales").json == {"status": "SERVING"}

        services["customer"] = start("customer", authority, customer.port)
        until(lambda: edge.json.call("GET", "/healthz").status == 200, "it is back")
        assert edge.json.call("GET", "/v1/customers/1", token=token).status == 200


def _impostors(authority: Authority, elsewhere: Authority) -> dict[str, tuple[Any, Authority]]:
    return {
        "sales in customer's place": (authority.inside("sales"), authority),
        "a certificate of the outside": (authority.outside("customer-outside"), authority),
        "another authority": (elsewhere.inside("customer"), authority),
    }


@pytest.mark.parametrize(
    "impostor", ["sales in customer's place", "a certificate of the outside", "another authority"]
)
def test_a_server_that_is_not_the_service_gets_no_call(
    tmp_path: Path, authority: Authority, impostor: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    pair, trusts = _impostors(authority, Authority(elsewhere, "another authority"))[impostor]
    port = free_port()
    false = serve("customer", SERVED["customer"], pair, trusts, port)
    services = {name: start(name, authority) for name in SERVED if name != "customer"}
    addresses = {name: [service.address] for name, service in services.items()} | {
        "customer": [false.address]
    }
    with opened(settings_for(tmp_path, authority, addresses), services, authority, whole=False) as edge:
        answer = edge.json.call("GET", "/v1/customers/1", token=edge.signer.token([READ]))
        assert (answer.status, answer.reason) == (503, "UNAVAILABLE")
        assert edge.json.call("GET", "/healthz/customer").status == 503
    assert not false.calls
    false.stop()
