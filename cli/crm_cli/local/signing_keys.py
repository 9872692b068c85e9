"""The public keys that an installation signs with, written down when it is set up.

Whoever checks a signature later believes these, and not the key that a file brings along.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from crm_cli.local.files import write_private
from crm_cli.local.layout import Layout
from crm_cli.local.stack import ServiceInfo
from kernel.pure.signing import Signer
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption

# Name and version of the keys in the keyrings, by what they sign.
_AUDIT = ("audit-checkpoints", "1")
_CERTIFICATES = ("certificates", "1")
# The name of the key of certificates among those of services.
CERTIFICATES = "certificates"


def pin(layout: Layout, services: Sequence[ServiceInfo]) -> None:
    """Writes down the keys of all services; makes those that were never used yet."""
    known: dict[str, str] = {}
    for service in services:
        kek = KeyEncryption(FileProvider(Path(service.kek_file)))
        with closing(Keyring(service.keyring_url, kek)) as keyring:
            known[service.name] = _public(keyring, _AUDIT)
            if service.name == "privacy":
                known[CERTIFICATES] = _public(keyring, _CERTIFICATES)
    write_private(layout.public_keys, json.dumps(known, indent=1))


def pinned(stack: str, root: Path | None = None) -> Mapping[str, str]:
    """The keys of a local installation, in hexadecimal, by service; none when it was never set up here."""
    path = Layout.of(stack, root).public_keys
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return known


def _public(keyring: Keyring, key: tuple[str, str]) -> str:
    # Only the public half is taken, which does not depend on what it signs for.
    return Signer(keyring.service_key(*key), "").public.hex()
