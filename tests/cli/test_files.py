"""Ports, passwords, certificates and the description of an installation."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from crm_cli.local import certificates, ports
from crm_cli.local.files import Passwords
from crm_cli.local.layout import SERVICES, SPARE_CONNECTIONS, max_connections
from crm_cli.local.stack import DemoLogin, NoStack, ProcessInfo, ServerInfo, StackInfo
from kernel.ops.settings import Settings


def names_in(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def read(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())


def test_ports_are_kept_by_a_restart(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "ports.json", ["one", "two"], {})
    assert ports.choose(tmp_path / "ports.json", ["one", "two"], {}) == first
    assert len(set(first.values())) == 2


def test_a_port_taken_by_somebody_else_is_left_to_them(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "ports.json", ["one"], {})
    with socket.create_server(("127.0.0.1", first["one"])):
        second = ports.choose(tmp_path / "ports.json", ["one", "two"], {"two": first["one"]})
    assert first["one"] not in second.values()


def test_passwords_are_remembered_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "passwords.json"
    password = Passwords(path).get("customer")
    assert Passwords(path).get("customer") == password
    assert Passwords(path).get("sales") != password
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_service_has_a_certificate_with_its_name(tmp_path: Path) -> None:
    certificates.provide(tmp_path, ("customer",))
    authority = read(tmp_path, "ca")
    for name in ("customer", "envoy"):
        certificate = read(tmp_path, name)
        certificate.verify_directly_issued_by(authority)
        assert names_in(certificate) == [f"spiffe://crm/{name}", "localhost", "127.0.0.1"]
        assert (tmp_path / f"{name}.key").stat().st_mode & 0o777 == 0o600
    assert names_in(read(tmp_path, "edge")) == ["localhost", "127.0.0.1"]


def test_certificates_stay_until_their_end_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_LIFE", timedelta(days=31))
    certificates.provide(tmp_path, ("customer",))
    kept, authority = read(tmp_path, "customer"), read(tmp_path, "ca")
    certificates.provide(tmp_path, ("customer",))
    assert read(tmp_path, "customer") == kept
    monkeypatch.setattr(certificates, "_RENEW_BEFORE", timedelta(days=32))
    certificates.provide(tmp_path, ("customer",))
    assert read(tmp_path, "customer") != kept
    assert read(tmp_path, "ca") == authority
    assert read(tmp_path, "ca").not_valid_after_utc - datetime.now(UTC) > timedelta(days=3000)


def test_the_description_is_private_and_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "main"
    info = StackInfo(
        name="main",
        root=str(tmp_path),
        folder=str(folder),
        phase="ready",
        supervisor_pid=1,
        gateway_url="https://localhost:1",
        ca_file="ca.pem",
        admin_login="admin",
        admin_password="secret",
        servers=[ServerInfo("redis", "redis://", True)],
        processes=[ProcessInfo("customer.api", "service", 7, "127.0.0.1:1", "log")],
        logins=[DemoLogin("seller", "li", "secret", "李")],
    )
    info.save()
    assert StackInfo.load("main", tmp_path) == info
    assert (folder / "stack.json").stat().st_mode & 0o777 == 0o600


def test_an_installation_that_never_was_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoStack, match="'other'"):
        StackInfo.load("other", tmp_path)


def test_the_pools_of_all_processes_fit_into_a_cluster() -> None:
    # api, events and jobs hold a pool each; the relay, the timer loop and procrastinate listen beside it.
    pool = Settings.model_fields["database_pool"].default
    a_service = 3 * pool + 9
    assert len(SERVICES) * a_service + SPARE_CONNECTIONS <= max_connections()
