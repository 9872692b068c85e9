"""Signing keys: the private halves lie sealed in the database and open in memory only."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.domain.signing_keys import NewKey, SigningKey, signing_key
from gateway.store import queries, tables
from kernel.pure.clock import Clock
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.sealing import open_bytes, seal_bytes
from kernel.sql.engine import Reader

_LOCK = 7_310_003
_COORDINATE_BYTES = 32
# Much sooner than a key that was just published begins to sign.
_READ_EVERY_SECONDS = 60.0


class SigningKeyRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[SigningKey]:
        """The published keys, which nobody else changes until the end of the transaction."""
        self._session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        rows = self._session.execute(select(tables.signing_keys).order_by(tables.signing_keys.c.signs_from))
        return [SigningKey(row.kid, row.x, row.y, row.signs_from) for row in rows]

    def add(self, key: NewKey) -> None:
        public = key.public
        self._session.execute(
            insert(tables.signing_keys).values(
                kid=public.kid, x=public.x, y=public.y, signs_from=public.signs_from, sealed=key.sealed
            )
        )

    def drop(self, kid: str) -> None:
        self._session.execute(delete(tables.signing_keys).where(tables.signing_keys.c.kid == kid))


class KeySafe:
    """Makes keys and opens their private halves, with a key of the service's keyring."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, signs_from: datetime) -> NewKey:
        """A new random key on P-256. Raises KeyringUnavailable."""
        private = ec.generate_private_key(ec.SECP256R1())
        numbers = private.public_key().public_numbers()
        kid = secrets.token_hex(8)
        der = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = SigningKey(kid, _coordinate(numbers.x), _coordinate(numbers.y), signs_from)
        return NewKey(public, seal_bytes(self._wrapping_key(), _aad(kid), der))

    def open(self, kid: str, sealed: bytes) -> ec.EllipticCurvePrivateKey:
        """Raises KeyringUnavailable, or SealBroken when the row was altered."""
        der = open_bytes(self._wrapping_key(), _aad(kid), sealed)
        private = serialization.load_der_private_key(der, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return private

    def _wrapping_key(self) -> bytes:
        return self._keyring.service_key("signing-keys", "1")


@dataclass(frozen=True)
class _HeldKey(SigningKey):
    sealed: bytes


class Signer:
    """Which key signs now. Reads the keys each minute, and goes on with those it has when it can't."""

    def __init__(self, reader: Reader, safe: KeySafe, clock: Clock) -> None:
        self._reader = reader
        self._safe = safe
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Sequence[_HeldKey] = ()
        self._read_at = float("-inf")
        self._opened: dict[str, ec.EllipticCurvePrivateKey] = {}

    def current(self) -> tuple[str, ec.EllipticCurvePrivateKey]:
        """Key id and private key. Raises ValueError when no key was ever made, or KeyringUnavailable."""
        with self._lock:
            if not self._keys or time.monotonic() - self._read_at > _READ_EVERY_SECONDS:
                self._read()
            key = signing_key(self._keys, self._clock.now())
            if key.kid not in self._opened:
                self._opened[key.kid] = self._safe.open(key.kid, key.sealed)
            return key.kid, self._opened[key.kid]

    def _read(self) -> None:
        try:
            rows = queries.sealed_keys(self._reader)
        except Exception:
            if not self._keys:
                raise
            return
        self._keys = [_HeldKey(row.kid, row.x, row.y, row.signs_from, row.sealed) for row in rows]
        self._opened = {key.kid: self._opened[key.kid] for key in self._keys if key.kid in self._opened}
        self._read_at = time.monotonic()


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode()


def _aad(kid: str) -> bytes:
    return f"gateway|signing_keys|{kid}".encode()
