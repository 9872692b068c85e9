"""The files: complete, stable, and refused when something is missing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions
from pydantic import ValidationError

from crm_cli.local.layout import SERVICES
from gateway.edge.catalogue import descriptors, public_methods
from gateway.edge.jwt import write_keys
from gateway.edge.render import render
from gateway.edge.settings import EdgeSettings
from tests.gateway.edge.tokens import Signer

UPSTREAMS = {name: [f"127.0.0.1:{port}"] for port, name in enumerate(SERVICES, 7001)}
KEYS = [Signer("first").public_key()]


def _settings(directory: Path, upstreams: dict[str, list[str]] | None = None) -> EdgeSettings:
    return EdgeSettings(
        dir=directory,
        upstreams=upstreams or UPSTREAMS,
        tls_cert=directory / "outside.crt",
        tls_key=directory / "outside.key",
        client_cert=directory / "envoy.crt",
        client_key=directory / "envoy.key",
        ca=directory / "ca.pem",
    )


def _inodes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_ino for file in directory.iterdir()}


def test_rendering_again_replaces_nothing(tmp_path: Path) -> None:
    start = render(_settings(tmp_path), KEYS)
    before = _inodes(tmp_path)
    assert render(_settings(tmp_path), KEYS) == start == tmp_path / "bootstrap.json"
    assert _inodes(tmp_path) == before


def test_only_what_changed_is_replaced(tmp_path: Path) -> None:
    render(_settings(tmp_path), KEYS)
    before = _inodes(tmp_path)
    render(_settings(tmp_path, {**UPSTREAMS, "sales": ["127.0.0.1:7003", "127.0.0.1:7004"]}), KEYS)
    changed = {name for name, inode in _inodes(tmp_path).items() if before.get(name) != inode}
    assert changed == {"clusters.json"}


def test_descriptors_of_an_earlier_release_are_removed(tmp_path: Path) -> None:
    (tmp_path / "descriptors-000000000000.binpb").write_bytes(b"old")
    render(_settings(tmp_path), KEYS)
    (current,) = tmp_path.glob("descriptors-*.binpb")
    assert str(current) in (tmp_path / "listeners.json").read_text()


def test_a_relative_folder_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy may be started elsewhere."""
    monkeypatch.chdir(tmp_path)
    start = render(_settings(Path("edge")), KEYS)
    assert start == tmp_path / "edge/bootstrap.json"
    source = json.loads(start.read_text())["dynamic_resources"]["lds_config"]["path_config_source"]
    assert source["path"] == str(tmp_path / "edge/listeners.json")


def test_a_service_without_an_address_is_an_error(tmp_path: Path) -> None:
    known = {name: addresses for name, addresses in UPSTREAMS.items() if name != "sales"}
    with pytest.raises(ValueError, match="CRM_EDGE_UPSTREAMS names no address of sales"):
        render(_settings(tmp_path, known), KEYS)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:http", "127.0.0.1:70000"])
def test_an_address_is_host_and_port(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValidationError, match="is not host:port"):
        _settings(tmp_path, {**UPSTREAMS, "sales": [address]})


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DIR", "TLS_CERT", "TLS_KEY", "CLIENT_CERT", "CLIENT_KEY", "CA"):
        monkeypatch.setenv(f"CRM_EDGE_{name}", f"/{name.lower()}")
    monkeypatch.setenv("CRM_EDGE_UPSTREAMS", json.dumps(UPSTREAMS))
    monkeypatch.setenv("CRM_EDGE_LISTEN", "0.0.0.0:443")
    settings = EdgeSettings()
    assert (settings.dir, settings.upstreams, settings.listen) == (Path("/dir"), UPSTREAMS, "0.0.0.0:443")


def test_without_keys_nothing_is_rendered_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without a public key"):
        write_keys([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_draft_never_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_keys(KEYS, tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_file_can_be_read_by_a_person(tmp_path: Path) -> None:
    render(_settings(tmp_path), KEYS)
    for file in tmp_path.glob("*.json"):
        text = file.read_text()
        assert json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" == text


def _method(files: FileDescriptorSet, name: str) -> MethodOptions:
    return next(m for f in files.file for s in f.service for m in s.method if m.name == name).options


def test_an_internal_method_with_a_public_address_is_an_error() -> None:
    files = descriptors()
    _method(files, "GetTrust").Extensions[annotations_pb2.http].get = "/v1/trust"
    with pytest.raises(ValueError, match="TrustService/GetTrust is internal"):
        public_methods(files)


def test_a_method_that_does_not_say_who_may_call_it_is_an_error() -> None:
    files = descriptors()
    options = _method(files, "GetCustomer")
    address = options.Extensions[annotations_pb2.http].get
    options.Clear()
    options.Extensions[annotations_pb2.http].get = address
    with pytest.raises(ValueError, match="GetCustomer must say exactly one of"):
        public_methods(files)
