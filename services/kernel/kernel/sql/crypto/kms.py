"""Key-encryption keys: what wraps every key in the keyring.

A provider (a file here, a KMS or PKCS#11 module in production) opens a service's key-encryption
keys; they stay in memory and wrap and unwrap there. Several versions live side by side, one of them
is active; rotation adds a version and re-wraps (`Keyring.rewrap`), data is never touched.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.sql.crypto.errors import KeyringUnavailable, SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True)
class KeyEncryptionKeys:
    """The versions of one service; `active` wraps, all unwrap. Secrets never show in its repr."""

    active: str
    secrets: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if any(len(secret) != KEY_BYTES for secret in self.secrets.values()):
            raise ValueError(f"each key-encryption key must have {KEY_BYTES} bytes")
        if self.active not in self.secrets:
            raise ValueError("the active key-encryption key is not among the keys")


class KeyProvider(Protocol):
    """Where key-encryption keys come from."""

    def load(self) -> KeyEncryptionKeys:
        """All versions as they are now. Raises ValueError or OSError when they can't be opened."""


@dataclass(frozen=True)
class FileProvider:
    """Reads {"active": "1", "keys": {"1": "<base64 of 32 bytes>"}} from a JSON file."""

    path: str | os.PathLike[str]

    def load(self) -> KeyEncryptionKeys:
        """Raises ValueError, which never quotes the file, when it has another form."""
        try:
            content = json.loads(Path(self.path).read_text("utf-8"))
            active = content["active"]
            secrets = {
                str(version): base64.b64decode(text, validate=True)
                for version, text in content["keys"].items()
            }
        except (
            KeyError,
            TypeError,
            AttributeError,
            UnicodeDecodeError,
            json.JSONDecodeError,
            binascii.Error,
        ):
            # `from None`: the causes quote what stands in the file.
            raise ValueError(f"{os.fspath(self.path)} holds no valid key-encryption keys") from None
        return KeyEncryptionKeys(str(active), secrets)


class Wrapped(NamedTuple):
    """A key as it lies in the keyring: which version wrapped it, and nonce | ciphertext | tag."""

    kek_version: str
    ciphertext: bytes


class KeyEncryption:
    """Wraps and unwraps keys in memory (AES-256-GCM). Safe to share between threads."""

    def __init__(self, provider: KeyProvider) -> None:
        """Raises what the provider raises: a process without its keys must not start."""
        self._provider = provider
        self.reload()

    def __repr__(self) -> str:
        return f"KeyEncryption(active={self.active!r}, versions={sorted(self._ciphers)})"

    def reload(self) -> None:
        """Reads the provider again, so that a new version is known without a restart."""
        keys = self._provider.load()
        self._ciphers = {version: AESGCM(secret) for version, secret in keys.secrets.items()}
        self._active = keys.active

    def derived(self, purpose: bytes) -> list[bytes]:
        """A key of 256 bits for `purpose` from each version, the oldest first.

        For what must work while the keyring can't be asked and protects no personal data.
        """
        secrets = self._provider.load().secrets
        return [hmac.digest(secret, b"crm derived key\0" + purpose, "sha256") for secret in secrets.values()]

    @property
    def active(self) -> str:
        """The version that wraps new keys."""
        return self._active

    def wrap(self, secret: bytes, context: bytes) -> Wrapped:
        """`secret` wrapped under the active version; only the same `context` unwraps it."""
        version, nonce = self._active, os.urandom(NONCE_BYTES)
        return Wrapped(version, nonce + self._ciphers[version].encrypt(nonce, secret, context))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The secret inside `wrapped`.

        Raises SealBroken when it was altered or belongs to another context, KeyringUnavailable when
        its version is unknown here even after asking the provider again.
        """
        cipher = self._ciphers.get(wrapped.kek_version) or self._load_cipher(wrapped.kek_version)
        nonce, ciphertext = wrapped.ciphertext[:NONCE_BYTES], wrapped.ciphertext[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, context)
        except (InvalidTag, ValueError):
            raise SealBroken("a wrapped key is broken") from None

    def _load_cipher(self, version: str) -> AESGCM:
        try:
            self.reload()
            return self._ciphers[version]
        except (KeyError, ValueError, OSError) as error:
            raise KeyringUnavailable() from error
