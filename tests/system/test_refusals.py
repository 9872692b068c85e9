"""Calls that must be refused, by JSON and by gRPC through Envoy: the same code and reason by both doors.

Expired and foreign tokens are signed with the installation's own key: nothing but what they say is wrong.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from crm.customer.v1.customer_service_pb2 import ListCustomersRequest
from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.local.stack import StackInfo
from gateway.config import GatewaySettings
from gateway.wiring import GatewayApp

UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
_DEADLINE = 15.0


class Forger:
    """Makes tokens out of a genuine one."""

    def __init__(self, genuine: str, kid: str, key: ec.EllipticCurvePrivateKey) -> None:
        self.genuine = genuine
        self.header, self.claims = (_part(genuine, place) for place in (0, 1))
        self.kid, self._key = kid, key

    def genuinely_signed(self, **claims: Any) -> str:
        """Signed as the installation signs, but saying something else."""
        content = {**self.claims, **claims}
        return self._signed(self._key, {name: value for name, value in content.items() if value is not None})

    def signed_with_another_key(self) -> str:
        return self._signed(ec.generate_private_key(ec.SECP256R1()), self.claims)

    def changed(self, **claims: Any) -> str:
        """The genuine signature under other claims."""
        head, _, signature = self.genuine.split(".")
        return f"{head}.{_encoded({**self.claims, **claims})}.{signature}"

    def unsigned(self) -> str:
        return f"{_encoded({**self.header, 'alg': 'none'})}.{_encoded(self.claims)}."

    def _signed(self, key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, key, "ES256", headers={"kid": self.kid, "typ": self.header["typ"]})


@pytest.fixture(scope="module")
def forger(stack: StackInfo, erp: Account) -> Iterator[Forger]:
    service = stack.service("gateway")
    app = GatewayApp(
        GatewaySettings(
            database_url=service.database_url,
            keyring_url=service.keyring_url,
            kek_file=Path(service.kek_file),
        )
    )
    try:
        yield Forger(erp.token(), *app.signer.current())
    finally:
        app.close()


@pytest.fixture(scope="module")
def seller(gateway: Gateway, admin: Session) -> Account:
    login, password = f"refused.{uuid4().hex[:8]}", uuid4().hex
    user = User(login=login, display_name="被拒者", role_ids=["seller"])
    request = CreateUserRequest(user=user, password=password, request_id=str(uuid4()))
    admin.call(admin.directory.CreateUser, request)
    return gateway.password_account(login, password)


def _outcome_by_grpc(session: Session, token: str | None, write: bool = False) -> tuple[grpc.StatusCode, str]:
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    method, request = (
        (session.orders.BatchUpsertOrders, BatchUpsertOrdersRequest())
        if write
        else (session.customers.ListCustomers, ListCustomersRequest(page_size=1))
    )
    try:
        method(request, timeout=_DEADLINE, metadata=metadata)
    except grpc.RpcError as error:
        refused = Refused.of(error)
        return refused.code, refused.reason
    return grpc.StatusCode.OK, ""


def _outcome_by_json(gateway: Gateway, token: str | None, write: bool = False) -> tuple[int, int, str]:
    """Status of HTTP, code and reason of the body."""
    if write:
        answer = gateway.json("POST", "/v1/orders:batchUpsert", {"orders": []}, token)
    else:
        answer = gateway.json("GET", "/v1/customers?pageSize=1", None, token)
    body = answer.body or {}
    reasons = [detail["reason"] for detail in body.get("details", []) if "reason" in detail]
    return answer.status, body.get("code", 0), ",".join(reasons)


def _tokens(forger: Forger) -> dict[str, str | None]:
    now = int(time.time())
    return {
        "no token": None,
        "no JWT": "system-tests",
        "forged: signed with another key": forger.signed_with_another_key(),
        "forged: claims changed": forger.changed(sub=str(uuid4())),
        "forged: unsigned": forger.unsigned(),
        "expired": forger.genuinely_signed(iat=now - 1200, iat_ms=(now - 1200) * 1000, exp=now - 600),
        "without an end": forger.genuinely_signed(exp=None),
        "not yet valid": forger.genuinely_signed(nbf=now + 600),
        "foreign issuer": forger.genuinely_signed(iss="https://issuer.example"),
        "foreign audience": forger.genuinely_signed(aud="another installation"),
    }


KINDS = (
    "no token", "no JWT", "forged: signed with another key", "forged: claims changed", "forged: unsigned",
    "expired", "without an end", "not yet valid", "foreign issuer", "foreign audience",
)  # fmt: skip


def test_the_forgers_own_tokens_are_good_when_they_say_the_truth(forger: Forger, admin: Session) -> None:
    """Else the refusals below would prove nothing."""
    now = int(time.time())
    token = forger.genuinely_signed(iat=now, iat_ms=now * 1000, exp=now + 300)
    assert _outcome_by_grpc(admin, token) == (grpc.StatusCode.OK, "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_is_refused_by_grpc(kind: str, forger: Forger, admin: Session) -> None:
    assert _outcome_by_grpc(admin, _tokens(forger)[kind]) == UNAUTHENTICATED


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_is_refused_by_json(kind: str, forger: Forger, gateway: Gateway) -> None:
    assert _outcome_by_json(gateway, _tokens(forger)[kind]) == (401, 16, "UNAUTHENTICATED")


def test_a_call_without_the_permission_is_refused_by_grpc(seller: Account, admin: Session) -> None:
    outcome = _outcome_by_grpc(admin, seller.token(), write=True)
    assert outcome == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")


def test_a_call_without_the_permission_is_refused_by_json(seller: Account, gateway: Gateway) -> None:
    assert _outcome_by_json(gateway, seller.token(), write=True) == (403, 7, "PERMISSION_DENIED")


def test_a_permission_one_wrote_into_the_token_oneself_is_refused(
    seller: Account, forger: Forger, admin: Session
) -> None:
    own = Forger(seller.token(), forger.kid, ec.generate_private_key(ec.SECP256R1()))
    greedy = own.changed(perms=forger.claims["perms"], scopes=forger.claims["scopes"])
    assert _outcome_by_grpc(admin, greedy, write=True) == UNAUTHENTICATED


def _part(token: str, place: int) -> dict[str, Any]:
    part = token.split(".")[place]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
