"""Calls that must be refused, by gRPC and by JSON, and with the right code in both."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from crm.customer.v1.customer_service_pb2 import ListCustomersRequest
from crm.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm.sales.v1.order_service_pb2_grpc import OrderServiceStub
from crm_cli.client import DEADLINE, PATIENCE, Gateway, passing
from crm_cli.tour.feed import Tick

_HTTP = {grpc.StatusCode.UNAUTHENTICATED: 401, grpc.StatusCode.PERMISSION_DENIED: 403}


@dataclass(frozen=True)
class Attempt:
    """One call that must be refused. `token` None means no token at all; `write` tries to write orders."""

    name: str
    token: str | None
    code: grpc.StatusCode = grpc.StatusCode.UNAUTHENTICATED
    write: bool = False


def attempts(genuine: str, seller: str, old: str) -> list[Attempt]:
    """What is tried. `genuine` is a token that works, `seller` one that may not write orders, `old` one of an
    earlier run (or empty)."""
    claims = _part(genuine, 1)
    header = _part(genuine, 0)
    now = int(time.time())
    foreign = {**claims, "iss": "https://issuer.example", "iat": now, "exp": now + 300}
    expired = {**claims, "iat": now - 1200, "exp": now - 600}
    unsigned = {**header, "alg": "none"}
    found = [
        Attempt("no token", None),
        Attempt("no JWT", "tour"),
        Attempt("forged: another key", _signed(claims, str(header.get("kid", "")))),
        Attempt("forged: claims changed", _with_claims(genuine, {**claims, "sub": "0" * 36})),
        Attempt("forged: unsigned", f"{_encoded(unsigned)}.{_encoded(claims)}."),
        Attempt("expired", _signed(expired, str(header.get("kid", "")))),
        Attempt("foreign issuer", _signed(foreign, "issuer-1")),
        Attempt("without permission", seller, grpc.StatusCode.PERMISSION_DENIED, write=True),
    ]
    if old and int(str(_part(old, 1).get("exp", now))) < now - 60:
        found.append(Attempt("expired: of an earlier run", old))
    return found


def differences(gateway: Gateway, tried: list[Attempt], tick: Tick) -> Iterator[str]:
    """Tries each by both doors; yields what came out other than it must."""
    channel = gateway.channel()
    for attempt in tried:
        for door, outcome in (("gRPC", _by_grpc(channel, attempt)), ("JSON", _by_json(gateway, attempt))):
            tick(1)
            if outcome:
                yield f"{attempt.name} by {door}: {outcome}"
    channel.close()


def _by_grpc(channel: grpc.Channel, attempt: Attempt) -> str:
    metadata = () if attempt.token is None else (("authorization", f"Bearer {attempt.token}"),)
    orders, customers = OrderServiceStub(channel), CustomerServiceStub(channel)
    method, request = (
        (orders.BatchUpsertOrders, BatchUpsertOrdersRequest())
        if attempt.write
        else (customers.ListCustomers, ListCustomersRequest())
    )
    code = _code_of(lambda: method(request, timeout=DEADLINE, metadata=metadata))
    return "" if code is attempt.code else f"{code.name}, not {attempt.code.name}"


def _code_of(call: Callable[[], object]) -> grpc.StatusCode:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            call()
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            if not passing(error) or time.monotonic() > give_up:
                code: grpc.StatusCode = error.code()
                return code
        time.sleep(0.5)


def _by_json(gateway: Gateway, attempt: Attempt) -> str:
    if attempt.write:
        answer = gateway.json("POST", "/v1/orders:batchUpsert", {"orders": []}, attempt.token)
    else:
        answer = gateway.json("GET", "/v1/customers", None, attempt.token)
    if answer.status != _HTTP[attempt.code]:
        return f"HTTP {answer.status}, not {_HTTP[attempt.code]}"
    number = attempt.code.value[0]
    if answer.body is None or answer.body.get("code") != number or not answer.body.get("details"):
        return f"the body is no error of code {number} with details"
    return ""


def _signed(claims: Mapping[str, object], key_id: str) -> str:
    """A token that looks right and is signed with a key of our own."""
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(dict(claims), key, algorithm="ES256", headers={"kid": key_id})


def _with_claims(token: str, claims: Mapping[str, object]) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{_encoded(claims)}.{signature}"


def _part(token: str, place: int) -> dict[str, object]:
    part = token.split(".")[place]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def _encoded(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(dict(part)).encode()).rstrip(b"=").decode()
