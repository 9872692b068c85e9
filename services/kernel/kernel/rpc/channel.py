"""Channels to other services of the installation: mutual TLS, retries on UNAVAILABLE."""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.protobuf import message_factory
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from kernel.ops import trace
from kernel.ops.settings import Settings
from kernel.pure.errors import CrmError, Kind, Unavailable
from kernel.rpc.methods import service_descriptor

_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


class PeerUnavailable(Unavailable):
    reason = "PEER_UNAVAILABLE"
    en = "The {service} service can't be reached; try again."
    zh = "{service} 服务暂时无法访问，请重试。"


class PeerRefused(CrmError):
    """Another service refused a call of ours, for a reason that its caller is to know or to mend."""

    kind = Kind.PRECONDITION
    reason = "PEER_REFUSED"
    en = "The {service} service refused: {refusal}."
    zh = "{service} 服务拒绝：{refusal}。"

    def __init__(self, service: str, refusal: str, code: str) -> None:
        super().__init__(service=service, refusal=refusal)
        # Reason of its ErrorInfo, and name of its gRPC code.
        self.refusal, self.code = refusal, code


class Peers:
    """The other services of the installation, called on this service's own account (calls.yaml)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channels: dict[str, grpc.Channel] = {}

    def call(self, method: str, request: Any, timeout: float = 5.0) -> Any:
        """The answer of `method` ("crm.customer.v1.SubjectService/ResolveSubject") within `timeout` seconds.

        Raises PeerUnavailable when waiting may help, PeerRefused otherwise.
        """
        path, _, name = method.partition("/")
        described = service_descriptor(path).methods_by_name[name]
        service = path.split(".")[1]
        ask = self._channel(service).unary_unary(
            f"/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(described.output_type).FromString,
        )
        try:
            return ask(request, timeout=timeout, metadata=[("traceparent", trace.current.get())])
        except grpc.RpcError as error:
            if error.code() in _PASSING:
                raise PeerUnavailable(service=service) from error
            raise PeerRefused(service, _reason(error), error.code().name) from error

    def close(self) -> None:
        """Ends the connections."""
        for channel in self._channels.values():
            channel.close()

    def _channel(self, service: str) -> grpc.Channel:
        if service not in self._channels:
            self._channels[service] = connect(self._settings, self._settings.peers[service])
        return self._channels[service]


# What waiting may mend.
_PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
)


def _reason(error: Any) -> str:
    """Reason of the answer's ErrorInfo, or the name of its code."""
    status = rpc_status.from_call(error) or status_pb2.Status()
    info = error_details_pb2.ErrorInfo()
    for packed in status.details:
        if packed.Unpack(info):
            return info.reason
    return str(error.code().name)


def connect(settings: Settings, address: str) -> grpc.Channel:
    """A channel to `address` that presents this service's certificate.

    "host:port", where a name stands for all its addresses; or several addresses of one host, by commas.
    """
    if settings.tls_ca is None or settings.tls_key is None or settings.tls_cert is None:
        raise ValueError("calls between services need CRM_TLS_CA, CRM_TLS_CERT and CRM_TLS_KEY")
    credentials = grpc.ssl_channel_credentials(
        settings.tls_ca.read_bytes(), settings.tls_key.read_bytes(), settings.tls_cert.read_bytes()
    )
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if "," in address:
        # Else the list itself would be looked for in the server's certificate.
        options.append(("grpc.default_authority", address.partition(",")[0]))
        address = f"ipv4:{address}"
    return grpc.secure_channel(address, credentials, options)
