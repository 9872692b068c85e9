"""Certificates as secrets in files of their own, so that renewed ones are taken without a restart."""

from __future__ import annotations

from pathlib import Path

from gateway.edge.files import Json, config_source, typed
from gateway.edge.settings import EdgeSettings

SERVER = "server-certificate"
CLIENT = "client-certificate"
AUTHORITY = "authority"


def reference(name: str, directory: Path) -> Json:
    """Where a TLS context finds a secret."""
    return {"name": name, "sds_config": config_source(file_of(name, directory))}


def file_of(name: str, directory: Path) -> Path:
    return directory / f"{name}.json"


def all_secrets(settings: EdgeSettings) -> dict[str, Json]:
    """The secrets by name."""
    return {
        SERVER: _certificate(SERVER, settings.tls_cert, settings.tls_key),
        CLIENT: _certificate(CLIENT, settings.client_cert, settings.client_key),
        AUTHORITY: _authority(settings.ca),
    }


def _certificate(name: str, chain: Path, key: Path) -> Json:
    return _secret(
        name,
        tls_certificate={
            "certificate_chain": {"filename": str(chain.absolute())},
            "private_key": {"filename": str(key.absolute())},
            "watched_directory": {"path": str(chain.absolute().parent)},
        },
    )


def _authority(ca: Path) -> Json:
    return _secret(
        AUTHORITY,
        validation_context={
            "trusted_ca": {"filename": str(ca.absolute())},
            "watched_directory": {"path": str(ca.absolute().parent)},
        },
    )


def _secret(name: str, **content: Json) -> Json:
    return typed("extensions.transport_sockets.tls.v3.Secret", name=name, **content)
