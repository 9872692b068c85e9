"""Somebody calls a method through the gateway, by gRPC or by JSON, and says how the door answered."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from crm.gateway.v1.directory_service_pb2 import CreateUserRequest
from crm.gateway.v1.identity_pb2 import User
from crm_cli.client import Gateway, Session
from crm_cli.local.stack import StackInfo
from tests.security.matrix import Exposed, verdict

_DEADLINE = 30.0  # seconds
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
# (method, token) -> how the door answered.
Ask = Callable[[Exposed, str], str]


@dataclass(frozen=True)
class Member:
    """A user of a test's own."""

    id: str
    login: str
    password: str
    gateway: Gateway

    def sign_in(self) -> str:
        """An access token of a new session."""
        return self.gateway.password_account(self.login, self.password).token()


def hire(admin: Session, *role_ids: str) -> Member:
    """A new user with these roles."""
    login, password = f"user-{uuid4().hex[:12]}", f"password {uuid4().hex}"
    wanted = User(login=login, display_name="test", role_ids=role_ids)
    request = CreateUserRequest(user=wanted, password=password, request_id=str(uuid4()))
    made = admin.call(admin.directory.CreateUser, request)
    return Member(made.id, login, password, admin.account.gateway)


@contextmanager
def by_grpc(stack: StackInfo) -> Iterator[Ask]:
    with Gateway(stack.gateway_url, Path(stack.ca_file)).channel() as channel:

        def ask(exposed: Exposed, token: str) -> str:
            method = exposed.method
            call = channel.unary_unary(
                f"/{method.full_name}",
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
            metadata = (("authorization", f"Bearer {token}"),) if token else ()
            try:
                call(exposed.request(), timeout=_DEADLINE, metadata=metadata)
            except grpc.RpcError as refused:
                return verdict(refused.code().name, _reason(refused))
            return verdict("OK", "")

        yield ask


@contextmanager
def by_json(stack: StackInfo) -> Iterator[Ask]:
    """Internal methods, which have no address, are asked for by the one gRPC calls have."""
    url = urlsplit(stack.gateway_url)
    tls = ssl.create_default_context(cafile=stack.ca_file)
    connection = http.client.HTTPSConnection(
        url.hostname or "localhost", url.port, timeout=_DEADLINE, context=tls
    )

    def ask(exposed: Exposed, token: str) -> str:
        verb, address, body = exposed.json() if exposed.path else ("POST", f"/{exposed.method.full_name}", {})
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        connection.request(verb, address, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status == http.client.OK:
            return verdict("OK", "")
        reasons = [detail["reason"] for detail in answer.get("details", ()) if "reason" in detail]
        return verdict(_CODES[answer["code"]], reasons[0] if reasons else "")

    try:
        yield ask
    finally:
        connection.close()


def _reason(refused: Any) -> str:
    """The reason of its ErrorInfo; empty when it brings none."""
    status = rpc_status.from_call(refused)
    for packed in status.details if status else ():
        if packed.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            packed.Unpack(info)
            return str(info.reason)
    return ""
