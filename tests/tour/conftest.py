"""A small gateway in this process: the client is tried over real TLS against servicers that misbehave."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from concurrent import futures
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2_grpc import (
    CustomerServiceServicer,
    add_CustomerServiceServicer_to_server,
)
from crm.gateway.v1.auth_service_pb2_grpc import AuthServiceServicer, add_AuthServiceServicer_to_server
from crm.gateway.v1.identity_pb2 import Tokens
from crm_cli.client import Gateway

PASSWORD = "a long password"


class Unruly(AuthServiceServicer, CustomerServiceServicer):  # type: ignore[misc]
    """Signs in with PASSWORD; fails calls as `failures` says, first to last, before it answers."""

    def __init__(self) -> None:
        self.failures: list[grpc.StatusCode] = []
        self.retry_after = ""
        self.requests: list[Any] = []
        self.sign_ins: list[str] = []
        self.valid = ""
        self.expires_in = 600

    def Login(self, request: Any, context: Any) -> Tokens:
        if request.password != PASSWORD:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong login or password")
        return self._tokens("login")

    def Refresh(self, request: Any, context: Any) -> Tokens:
        if request.refresh_token != f"refresh {self.valid}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "session has ended")
        return self._tokens("refresh")

    def CreateCustomer(self, request: Any, context: Any) -> Customer:
        self.requests.append(request)
        heard = dict(context.invocation_metadata())
        if self.failures:
            if self.retry_after:
                context.send_initial_metadata((("retry-after", self.retry_after),))
            context.abort(self.failures.pop(0), "not now")
        if heard.get("authorization") != f"Bearer {self.valid}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "token refused")
        return Customer(id="1")

    def _tokens(self, how: str) -> Tokens:
        self.sign_ins.append(how)
        self.valid = f"token {len(self.sign_ins)}"
        return Tokens(
            access_token=self.valid,
            refresh_token=f"refresh {self.valid}",
            expires_in=self.expires_in,
            token_type="Bearer",
        )


@pytest.fixture
def unruly() -> Unruly:
    return Unruly()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """serve(servicer, add_…_to_server, …): a client of the servicer, over TLS."""
    key, certificate = _self_signed()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(certificate)
    servers: list[grpc.Server] = []

    def start(servicer: Any, *registrations: Callable[[Any, grpc.Server], None]) -> Gateway:
        server = grpc.server(futures.ThreadPoolExecutor(4))
        for register in registrations:
            register(servicer, server)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
        server.start()
        servers.append(server)
        return Gateway(f"https://127.0.0.1:{port}", ca_file)

    yield start
    for server in servers:
        server.stop(None).wait(5)


@pytest.fixture
def gateway(unruly: Unruly, serve: Callable[..., Gateway]) -> Gateway:
    """A client of `unruly`."""
    return serve(unruly, add_AuthServiceServicer_to_server, add_CustomerServiceServicer_to_server)


def _self_signed() -> tuple[bytes, bytes]:
    """Key and certificate of 127.0.0.1, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, certificate.public_bytes(serialization.Encoding.PEM)
