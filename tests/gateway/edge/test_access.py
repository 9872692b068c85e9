"""Each method asks for its own permission and no other; what is not public does not exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor

from crm.options.v1 import options_pb2
from gateway.edge.catalogue import PublicMethod, descriptors, public_methods
from tests.gateway.edge.conftest import SERVED, Edge
from tests.gateway.edge.envoy import until

METHODS = {method.path: method for method in public_methods(descriptors())}
PERMISSIONS = {method.permission for method in METHODS.values() if method.permission}
GUARDED = [path for path, method in METHODS.items() if method.permission]
SIGNED_IN = [path for path, method in METHODS.items() if method.signed_in]
OPEN = [path for path, method in METHODS.items() if method.anyone]


def _declared() -> Iterator[tuple[str, MethodDescriptor]]:
    for services in SERVED.values():
        for service in services:
            for method in service.methods:
                yield f"/{service.full_name}/{method.name}", method


DECLARED = dict(_declared())
ACCESS: Any = options_pb2.access
INTERNAL = [path for path, method in DECLARED.items() if method.GetOptions().Extensions[ACCESS].internal]


def _as_json(path: str) -> tuple[str, str]:
    """HTTP method and path by which JSON callers reach a method."""
    rule = DECLARED[path].GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    return verb.upper(), re.sub(r"\{[^}]*\}", "1", getattr(rule, verb))


def _calls(edge: Edge) -> int:
    return sum(len(service.calls) for service in edge.services.values())


def _by_json(edge: Edge, path: str, token: str | None) -> int:
    verb, address = _as_json(path)
    return edge.json.call(verb, address, token=token, body=None if verb == "GET" else {}).status


def test_every_public_method_is_in_the_catalogue() -> None:
    assert set(METHODS) == set(DECLARED) - set(INTERNAL)
    assert INTERNAL


@pytest.mark.parametrize("path", GUARDED)
def test_a_method_asks_for_its_own_permission(edge: Edge, path: str) -> None:
    permission = METHODS[path].permission
    others = edge.signer.token(sorted(PERMISSIONS - {permission}))
    assert edge.grpc.call(path, token=others).code is grpc.StatusCode.PERMISSION_DENIED
    assert _by_json(edge, path, others) == 403
    assert _by_json(edge, path, None) == 401
    assert not _calls(edge)

    own = edge.signer.token([permission])
    assert edge.grpc.call(path, token=own).code is grpc.StatusCode.OK
    assert _by_json(edge, path, own) == 200
    assert _calls(edge) == 2


@pytest.mark.parametrize("path", SIGNED_IN)
def test_some_methods_ask_for_any_valid_token(edge: Edge, path: str) -> None:
    assert _by_json(edge, path, None) == 401
    assert edge.grpc.call(path).code is grpc.StatusCode.UNAUTHENTICATED
    assert _by_json(edge, path, edge.signer.token()) == 200
    assert edge.grpc.call(path, token=edge.signer.token()).code is grpc.StatusCode.OK


@pytest.mark.parametrize("path", OPEN)
def test_some_methods_are_for_anyone(edge: Edge, path: str) -> None:
    assert _by_json(edge, path, None) == 200
    assert edge.grpc.call(path).code is grpc.StatusCode.OK


@pytest.mark.parametrize("path", INTERNAL)
def test_an_internal_method_does_not_exist_outside(edge: Edge, path: str) -> None:
    token = edge.signer.token(sorted(PERMISSIONS))
    outcome = edge.grpc.call(path, token=token)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.UNIMPLEMENTED, "NO_SUCH_METHOD")
    assert edge.json.call("POST", path, token=token, body={}).status == 404
    assert not _calls(edge)


@pytest.mark.parametrize(
    "path",
    [
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/crm.customer.v1.CustomerService/NoSuchMethod",
        "/crm.customer.v1.CustomerService/GetCustomer/",
        "//crm.gateway.v1.TrustService//GetTrust",
        "/v1/../crm.gateway.v1.TrustService/GetTrust",
        "/crm.gateway.v1.AuthService%2fGetSelf",
    ],
)
def test_other_paths_lead_nowhere(edge: Edge, path: str) -> None:
    edge.grpc.call(path, token=edge.signer.token(sorted(PERMISSIONS)))
    assert not _calls(edge)


@pytest.mark.parametrize(
    "claims",
    [
        {"perms": "customer.customers.read"},
        {"perms": ["customer.customers"]},
        {"perms": ["customer.customers.read.own"]},
        {"perms": ["*"]},
        {"perms": [["customer.customers.read"]]},
        {"perms": {"customer.customers.read": True}},
        {"perms": None},
        {"permissions": ["customer.customers.read"], "perms": []},
        {"scope": "customer.customers.read", "perms": []},
    ],
)
def test_a_permission_is_taken_literally(edge: Edge, claims: dict[str, Any]) -> None:
    token = edge.signer.token(**claims)
    answer = edge.json.call("GET", "/v1/customers/1", token=token)
    assert (answer.status, answer.reason) == (403, "PERMISSION_DENIED")
    outcome = edge.grpc.call("/crm.customer.v1.CustomerService/GetCustomer", token=token)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    assert not _calls(edge)


def test_a_token_of_nobody_is_no_caller(edge: Edge) -> None:
    assert edge.json.call("GET", "/v1/auth:self", token=edge.signer.token(without=["sub"])).status == 403


def test_a_route_that_says_nothing_of_access_is_closed(edge: Edge) -> None:
    """Deny by default: forgetting is safe."""
    file = edge.settings.dir / "routes.json"
    before = file.read_bytes()
    routes = json.loads(before)
    for route in routes["resources"][0]["virtual_hosts"][0]["routes"]:
        if route["name"].endswith("/GetKeySet"):
            del route["typed_per_filter_config"]
    try:
        _replace(edge, json.dumps(routes).encode())
        until(lambda: edge.json.call("GET", "/.well-known/jwks.json").status == 403, "the new routes")
    finally:
        _replace(edge, before)
    until(lambda: edge.json.call("GET", "/.well-known/jwks.json").status == 200, "the usual routes")


def _replace(edge: Edge, content: bytes) -> None:
    draft = edge.settings.dir / "draft"
    draft.write_bytes(content)
    draft.rename(edge.settings.dir / "routes.json")


def test_calls_of_a_method_go_to_the_service_that_owns_it(edge: Edge) -> None:
    token = edge.signer.token(sorted(PERMISSIONS))
    for path, method in METHODS.items():
        edge.grpc.call(path, token=token)
        assert edge.services[method.owner].calls[-1].method == method.name


def test_a_method_says_who_may_call_it() -> None:
    def of(method: PublicMethod) -> int:
        return sum([bool(method.permission), method.anyone, method.signed_in])

    assert {of(method) for method in METHODS.values()} == {1}
