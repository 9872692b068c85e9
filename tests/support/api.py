"""The api of a service as the gateway sees it: mutual TLS, access tokens, the real dispatcher."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import message_factory
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from crm_cli.local import certificates
from kernel.pure.grants import Principal
from kernel.rpc.identity import AUDIENCE, ISSUER, TOKEN_TYPE, claims_of
from kernel.rpc.methods import service_descriptor
from kernel.rpc.server import build
from kernel.rpc.trust import Trust
from kernel.sql.app import App

KID = "test"


class Refused(Exception):
    """What a caller learns of a refusal."""

    def __init__(self, call: grpc.RpcError) -> None:
        self.code: str = call.code().name
        self.status: status_pb2.Status = rpc_status.from_call(call) or status_pb2.Status()
        super().__init__(f"{self.code}: {self.status.message}")

    @property
    def reason(self) -> str:
        return reason_of(self.status)

    @property
    def fields(self) -> list[tuple[str, str]]:
        return fields_of(self.status)


def reason_of(status: status_pb2.Status) -> str:
    """The reason of its ErrorInfo."""
    [info] = _details(status, error_details_pb2.ErrorInfo)
    return str(info.reason)


def fields_of(status: status_pb2.Status) -> list[tuple[str, str]]:
    """(field, rule) of each violation."""
    requests = _details(status, error_details_pb2.BadRequest)
    return [(v.field, v.reason) for request in requests for v in request.field_violations]


def _details(status: status_pb2.Status, kind: type[Any]) -> list[Any]:
    found = []
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found.append(kind())
            packed.Unpack(found[-1])
    return found


class Keys:
    """A signing key of the gateway's."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.trust = Trust({KID: jwt.PyJWK({**public, "kid": KID}, algorithm="ES256")})

    def token(self, principal: Principal) -> str:
        """An access token of the principal's, valid for ten minutes."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "iat_ms": now * 1000, "exp": now + 600}
        return jwt.encode(
            {**claims, **claims_of(principal)},
            self._key,
            algorithm="ES256",
            headers={"kid": KID, "typ": TOKEN_TYPE},
        )


class Api:
    """Calls the methods of a running api as Envoy would for a principal."""

    def __init__(self, channel: grpc.Channel, keys: Keys) -> None:
        self._channel = channel
        self._keys = keys

    def call(
        self,
        method: str,
        request: Any,
        principal: Principal | None,
        metadata: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer of `method` ("crm.sales.v1.OrderService/GetOrder"). Raises Refused."""
        service, _, name = method.partition("/")
        answer = message_factory.GetMessageClass(
            service_descriptor(service).methods_by_name[name].output_type
        )
        ask = self._channel.unary_unary(
            f"/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        heard = {"accept-language": "en", **(metadata or {})}
        if principal is not None:
            heard["authorization"] = f"Bearer {self._keys.token(principal)}"
        try:
            return ask(request, metadata=tuple(heard.items()), timeout=15)
        except grpc.RpcError as refused:
            raise Refused(refused) from None


def tls_settings(folder: Path, service: str) -> dict[str, Any]:
    """Settings of an api with certificates of an installation of its own in `folder`, and a free port."""
    certificates.provide(folder, (service,))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        "tls_ca": folder / "ca.pem",
        "tls_cert": folder / f"{service}.pem",
        "tls_key": folder / f"{service}.key",
        "grpc_address": f"127.0.0.1:{port}",
    }


@contextmanager
def serving(app: App, servicers: Mapping[str, object]) -> Iterator[Api]:
    """The api of `app`, which has the settings of tls_settings, called with Envoy's certificate."""
    keys = Keys()
    server, _, _ = build(app, servicers, lambda: keys.trust)
    server.start()
    authority = app.settings.tls_ca
    assert authority is not None
    certificate, key = authority.with_name("envoy.pem"), authority.with_name("envoy.key")
    credentials = grpc.ssl_channel_credentials(
        authority.read_bytes(), key.read_bytes(), certificate.read_bytes()
    )
    with grpc.secure_channel(app.settings.grpc_address, credentials) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        yield Api(channel, keys)
    server.stop(None).wait()
