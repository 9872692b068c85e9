"""Signatures that anyone can check later without asking us: Ed25519 under a key of a service."""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32


class Signer:
    """Signs for one purpose: what was signed for another never passes for it."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        """`secret` are 32 random bytes, the seed of the key."""
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._purpose = purpose
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(_bound(self._purpose, data))


def verifies(public: bytes, purpose: str, data: bytes, signature: bytes) -> bool:
    """Whether the owner of the key `public` signed exactly `data` for this purpose."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _bound(purpose, data))
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> str:
    """The name of a public key: it follows from the key, so that nobody can give it to another."""
    return sha256(public).hexdigest()[:16]


def _bound(purpose: str, data: bytes) -> bytes:
    return purpose.encode() + b"\0" + data
