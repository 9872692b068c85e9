"""Calls to a peer of which one process takes the place of another."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from crm_cli.local import certificates
from kernel.ops.settings import Settings
from kernel.rpc.channel import connect


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def server(settings: Settings, address: str) -> grpc.Server:
    assert settings.tls_key
    assert settings.tls_cert
    assert settings.tls_ca
    made = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), made)
    pair = (settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())
    credentials = grpc.ssl_server_credentials([pair], settings.tls_ca.read_bytes(), True)
    made.add_secure_port(address, credentials)
    made.start()
    return made


def test_whichever_of_two_addresses_serves_is_called(tmp_path: Path) -> None:
    certificates.provide(tmp_path, ("sales",))
    settings = Settings(
        database_url="postgresql://none", keyring_url="postgresql://none", kek_file=tmp_path / "none",
        tls_ca=tmp_path / "ca.pem", tls_cert=tmp_path / "sales.pem", tls_key=tmp_path / "sales.key",
    )  # fmt: skip
    first, second = free_address(), free_address()
    ask = health_pb2.HealthCheckRequest()
    running = server(settings, second)
    with connect(settings, f"{first},{second}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert (
            stub.Check(ask, timeout=10, wait_for_ready=True).status == health_pb2.HealthCheckResponse.SERVING
        )
        # The other takes its place.
        successor = server(settings, first)
        running.stop(None).wait()
        assert (
            stub.Check(ask, timeout=10, wait_for_ready=True).status == health_pb2.HealthCheckResponse.SERVING
        )
        successor.stop(None).wait()
