"""Nothing crosses a wire in clear, and nobody comes in by a side door."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crm_cli.local.layout import SERVICES
from crm_cli.local.stack import StackInfo

_PATIENCE = 10.0
_GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"  # preface and empty settings


@pytest.mark.feature("P-10")
def test_the_gateway_speaks_tls_1_3(stack: StackInfo) -> None:
    with _connect(_address(stack), _context(stack)) as connection:
        assert connection.version() == "TLSv1.3"
        connection.sendall(_GET)
        assert connection.recv(64).startswith(b"HTTP/1.1 200")


def test_the_gateway_speaks_no_older_tls(stack: StackInfo) -> None:
    context = _context(stack)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        _connect(_address(stack), context)


def test_the_gateway_speaks_no_plain_http(stack: StackInfo) -> None:
    with socket.create_connection(_address(stack), _PATIENCE) as connection:
        connection.sendall(_GET)
        assert not _received(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_nobody_without_a_certificate(stack: StackInfo, service: str) -> None:
    assert _first_answer(stack, service, _inner_context(stack)) == b""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_speaks_tls_1_3_with_the_gateway(stack: StackInfo, service: str) -> None:
    context = _inner_context(stack)
    tls = Path(stack.folder, "tls")
    context.load_cert_chain(tls / "envoy.pem", tls / "envoy.key")
    assert _first_answer(stack, service, context)


def _first_answer(stack: StackInfo, service: str, context: ssl.SSLContext) -> bytes:
    """What a service says to the first words of HTTP/2; nothing when it hangs up."""
    with _connect(_grpc_address(stack, service), context) as connection:
        assert connection.version() == "TLSv1.3"
        try:
            connection.sendall(_HTTP_2)
            return connection.recv(1024)
        except (ssl.SSLError, ConnectionError):
            return b""


def _context(stack: StackInfo) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=stack.ca_file)


def _inner_context(stack: StackInfo) -> ssl.SSLContext:
    context = _context(stack)
    context.check_hostname = False  # services are known by their URI, which Python does not look at
    context.set_alpn_protocols(["h2"])
    return context


def _connect(address: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(address, _PATIENCE)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(64)
    except ConnectionResetError:
        return b""


def _address(stack: StackInfo) -> tuple[str, int]:
    url = urlsplit(stack.gateway_url)
    return str(url.hostname), int(url.port or 0)


def _grpc_address(stack: StackInfo, service: str) -> tuple[str, int]:
    host, _, port = stack.service(service).grpc_address.rpartition(":")
    return host, int(port)
