"""A server that stands in for a service's api: the real methods, mutual TLS, answers as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.gateway.edge.certificates import Authority, Pair

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True)
class Call:
    """One call as the service saw it."""

    method: str
    request: Any
    metadata: dict[str, str]
    peer: list[str]
    seconds_left: float


@dataclass
class Service:
    """The api of `name` on `port`; `answers` says what a method does, an empty answer is the default."""

    name: str
    port: int
    server: grpc.Server
    health: health.HealthServicer
    answers: dict[str, Behaviour] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def say(self, serving: bool) -> None:
        self.health.set(f"crm.{self.name}", SERVING if serving else NOT_SERVING)

    def forget(self) -> None:
        self.answers.clear()
        self.calls.clear()

    def stop(self) -> None:
        self.server.stop(None).wait()


def serve(
    name: str, services: list[ServiceDescriptor], certificate: Pair, authority: Authority, port: int = 0
) -> Service:
    """Starts it. The gRPC services are served whole; the caller must show a certificate."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    credentials = grpc.ssl_server_credentials(
        [(certificate.key.read_bytes(), certificate.cert.read_bytes())],
        root_certificates=authority.file.read_bytes(),
        require_client_auth=True,
    )
    servicer = health.HealthServicer(experimental_non_blocking=True)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    service = Service(name, bound, server, servicer)
    for descriptor in services:
        server.add_generic_rpc_handlers((_handlers(service, descriptor),))
    service.say(serving=True)
    server.start()
    return service


def _handlers(service: Service, descriptor: ServiceDescriptor) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        descriptor.full_name,
        {
            method.name: grpc.unary_unary_rpc_method_handler(
                _handler(service, method.name, message_factory.GetMessageClass(method.output_type)),
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for method in descriptor.methods
        },
    )


def _handler(service: Service, name: str, empty: Callable[[], Any]) -> Behaviour:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        call = Call(
            name,
            request,
            {key: value for key, value in context.invocation_metadata() if isinstance(value, str)},
            [san.decode() for san in context.auth_context()["x509_subject_alternative_name"]],
            context.time_remaining() or 0.0,
        )
        with service.lock:
            service.calls.append(call)
        behaviour = service.answers.get(name)
        return behaviour(request, context) if behaviour else empty()

    return answer
