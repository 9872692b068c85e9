"""Blind indexes: keyed hashes by which sealed fields can be looked up without being opened.

They match and are not unique. They are personal data still: whoever has key and tokens can
enumerate all phone numbers, so the keys stay in the keyring and the rows go when a subject is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from kernel.sql.crypto.keyring import Keyring

TOKEN_BYTES = 16


class BlindIndex:
    """Tokens under one key per field and version; the key stays in memory once used.

    `versions` names the version of a field that is searched and written now (1 when not named);
    during a rotation the new version is written beside it by naming it in the call.
    """

    def __init__(self, keyring: Keyring, versions: Mapping[str, int] | None = None) -> None:
        self._keyring = keyring
        self._versions = dict(versions or {})

    def token(self, field: str, normalized: str, version: int | None = None) -> bytes:
        """The 16-byte token of one normalised value. Raises KeyringUnavailable at the first use."""
        return self.tokens(field, (normalized,), version)[0]

    def tokens(self, field: str, values: Iterable[str], version: int | None = None) -> list[bytes]:
        """The tokens of normalised values of one field, in order."""
        key = self._key(field, version)
        return [blake2b(value.encode(), key=key, digest_size=TOKEN_BYTES).digest() for value in values]

    def numbers(self, field: str, values: Iterable[str], version: int | None = None) -> list[int]:
        """Tokens of 64 bits, in order, for indexes of many rows: half as large and twice as fast.

        Two values of a billion may share one, so what is found by them is a candidate.
        """
        key = self._key(field, version)
        return [
            int.from_bytes(blake2b(value.encode(), key=key, digest_size=8).digest(), "big", signed=True)
            for value in values
        ]

    def _key(self, field: str, version: int | None) -> bytes:
        number = self._versions.get(field, 1) if version is None else version
        return self._keyring.service_key(f"index:{field}", str(number))
