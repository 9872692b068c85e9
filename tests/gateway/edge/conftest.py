"""A real Envoy in front of stand-ins for the services, with an authority of its own."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from crm_cli.local.layout import SERVICES
from gateway.edge.render import render
from gateway.edge.settings import Address, EdgeSettings
from tests.gateway.edge.callers import GrpcCaller, JsonCaller
from tests.gateway.edge.certificates import Authority
from tests.gateway.edge.envoy import Envoy, until
from tests.gateway.edge.services import Service, serve
from tests.gateway.edge.tokens import Signer


def _served(service: str) -> list[ServiceDescriptor]:
    """Every gRPC service that the contracts give to one of ours."""
    if not importlib.util.find_spec(f"crm.{service}"):
        return []
    folder = importlib.import_module(f"crm.{service}.v1").__path__
    modules = [found.name for found in pkgutil.iter_modules(folder) if found.name.endswith("_service_pb2")]
    return [
        described
        for name in sorted(modules)
        for described in importlib.import_module(
            f"crm.{service}.v1.{name}"
        ).DESCRIPTOR.services_by_name.values()
    ]


SERVED = {name: served for name in SERVICES if (served := _served(name))}


# Callers of tests that are not about it never call too often.
UNHURRIED = {"user_calls_per_second": 100_000, "account_calls_per_second": 100_000}


@dataclass(frozen=True)
class Edge:
    """Everything a test needs to stand before the door and behind it."""

    envoy: Envoy
    settings: EdgeSettings
    authority: Authority
    services: dict[str, Service]
    signer: Signer
    json: JsonCaller
    grpc: GrpcCaller

    @property
    def customer(self) -> Service:
        return self.services["customer"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Edge]:
    services = {name: start(name, authority) for name in SERVED}
    addresses = {name: [service.address] for name, service in services.items()}
    settings = settings_for(tmp_path_factory.mktemp("edge"), authority, addresses)
    with opened(settings, services, authority) as edge:
        yield edge


def start(name: str, authority: Authority, port: int = 0) -> Service:
    """A stand-in for the service of this name."""
    return serve(name, SERVED[name], authority.inside(name), authority, port)


@contextmanager
def opened(
    settings: EdgeSettings, services: dict[str, Service], authority: Authority, *, whole: bool = True
) -> Iterator[Edge]:
    """An Envoy of its own in front of the services; all of them end with the block.

    With `whole`, waits until every service has been found healthy.
    """
    signer = Signer("first")
    envoy = Envoy(settings, render(settings, [signer.public_key()]))
    port = Address.parse(settings.listen).port
    json, grpc_caller = JsonCaller(port, authority.file), GrpcCaller(port, authority.file)
    try:
        until(envoy.ready, "Envoy accepts the configuration")
        if whole:
            until(lambda: json.call("GET", "/healthz").status == 200, "all services are healthy")
        yield Edge(envoy, settings, authority, services, signer, json, grpc_caller)
    finally:
        grpc_caller.channel.close()
        envoy.stop()
        for service in services.values():
            service.stop()


def settings_for(
    directory: Path, authority: Authority, upstreams: dict[str, list[str]], **more: Any
) -> EdgeSettings:
    outside, client = authority.outside("outside"), authority.inside("envoy")
    return EdgeSettings(
        dir=directory,
        upstreams=upstreams,
        tls_cert=outside.cert,
        tls_key=outside.key,
        client_cert=client.cert,
        client_key=client.key,
        ca=authority.file,
        listen=f"127.0.0.1:{free_port()}",
        admin=f"127.0.0.1:{free_port()}",
        **{**UNHURRIED, **more},
    )


@pytest.fixture
def edge(running: Edge) -> Iterator[Edge]:
    """The running edge, with services that answer as by default."""
    for service in running.services.values():
        service.forget()
    yield running
    for service in running.services.values():
        service.say(serving=True)
        service.forget()
