"""Sealed documents: a subject's fields of one class in one table, encrypted as one.

Format: version (1 byte) | key id (8) | nonce (12) | AES-256-GCM ciphertext | tag (16). The seal is
bound to installation, service, class, table, row, version and key: moved anywhere else it breaks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.sql.crypto.cache import SubjectKey
from kernel.sql.crypto.errors import SealBroken
from kernel.sql.crypto.keyring import KEY_ID_BYTES, Keyring
from kernel.sql.crypto.kms import NONCE_BYTES

RowId = UUID | str

_VERSION = b"\x01"
_HEAD_BYTES = len(_VERSION) + KEY_ID_BYTES
_BODY = _HEAD_BYTES + NONCE_BYTES
_TAG_BYTES = 16

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_log = structlog.get_logger(__name__)


class Sealer:
    """Seals and opens documents of one key class. Safe between threads.

    Besides what is said below, every method may raise KeyringUnavailable.
    """

    def __init__(
        self, keyring: Keyring, *, installation: str, service: str, key_class: str = "operational"
    ) -> None:
        self._keyring = keyring
        self._key_class = key_class
        self._place = _packed(installation, service, key_class)

    def seal(self, table: str, row_id: RowId, subject_id: UUID, document: Mapping[str, Any]) -> bytes:
        """`document`, which JSON can hold, sealed for its row. Raises SubjectErased."""
        return self.seal_many(table, [(row_id, subject_id, document)])[0]

    def seal_many(self, table: str, items: Iterable[tuple[RowId, UUID, Mapping[str, Any]]]) -> list[bytes]:
        """Each (row id, subject id, document) sealed, in order, with one question to the keyring.

        Missing keys are made and committed before it returns. Raises SubjectErased, and seals
        nothing, when one of the subjects was erased.
        """
        return self.seal_encoded(
            table, [(row_id, subject_id, encoded(document)) for row_id, subject_id, document in items]
        )

    def seal_encoded(self, table: str, items: Sequence[tuple[RowId, UUID, bytes]]) -> list[bytes]:
        """The same for documents that were encoded before, since they are sealed for several rows."""
        keys = self._keyring.create({subject_id for _, subject_id, _ in items}, self._key_class)
        place = self._place + _packed(table)
        return [
            _seal(keys[subject_id], place, row_id, text, nonce)
            for (row_id, subject_id, text), nonce in zip(items, _nonces(len(items)), strict=True)
        ]

    def make_keys(self, subject_ids: Iterable[UUID]) -> None:
        """Makes the missing keys of many subjects with one question, before they are sealed for part by
        part. Raises SubjectErased."""
        self._keyring.create(subject_ids, self._key_class)

    def seal_data(self, table: str, row_id: RowId, subject_id: UUID, data: bytes) -> bytes:
        """Bytes that are no document, as of a file, sealed for their row. Raises SubjectErased."""
        keys = self._keyring.create({subject_id}, self._key_class)
        [nonce] = _nonces(1)
        return _seal(keys[subject_id], self._place + _packed(table), row_id, data, nonce)

    def open_data(self, table: str, row_id: RowId, subject_id: UUID, sealed: bytes) -> bytes | None:
        """What seal_data sealed; None when its key was destroyed. Raises SealBroken."""
        key = self._keyring.keys({subject_id}, self._key_class).get(subject_id)
        return None if key is None else _unsealed(key, self._place + _packed(table), row_id, sealed)

    def open(self, table: str, row_id: RowId, subject_id: UUID, sealed: bytes) -> dict[str, Any] | None:
        """The document of one row; None when its key was destroyed. Raises SealBroken."""
        return self.open_page(table, [(row_id, subject_id, sealed)])[0]

    def open_page(
        self, table: str, rows: Sequence[tuple[RowId, UUID, bytes | None]]
    ) -> list[dict[str, Any] | None]:
        """The documents of a whole page of (row id, subject id, sealed), with at most one query.

        None where the key was destroyed or nothing is sealed. Raises SealBroken when one was altered.
        """
        subjects = {subject_id for _, subject_id, sealed in rows if sealed is not None}
        keys = self._keyring.keys(subjects, self._key_class)
        place = self._place + _packed(table)
        page: list[dict[str, Any] | None] = []
        for row_id, subject_id, sealed in rows:
            key = keys.get(subject_id)
            if sealed is None or key is None:
                page.append(None)
                continue
            try:
                page.append(_open(key, place, row_id, sealed))
            except SealBroken:
                _log.error("seal_broken", table=table, row=str(row_id))
                raise
        return page


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as it is sealed."""
    return _encode(dict(document)).encode()


def _packed(*names: str) -> bytes:
    """Names with their lengths, so that no two lists of names look alike."""
    encoded = [name.encode() for name in names]
    return b"".join(len(name).to_bytes(2, "big") + name for name in encoded)


def _bound(place: bytes, head: bytes, row_id: RowId) -> bytes:
    """What a seal is bound to. The marks keep a text row id apart from a UUID of the same bytes."""
    if isinstance(row_id, UUID):
        return place + head + b"u" + row_id.bytes
    return place + head + b"t" + row_id.encode()


def _nonces(count: int) -> list[bytes]:
    random = os.urandom(NONCE_BYTES * count)
    return [random[start : start + NONCE_BYTES] for start in range(0, len(random), NONCE_BYTES)]


def _seal(key: SubjectKey, place: bytes, row_id: RowId, plain: bytes, nonce: bytes) -> bytes:
    head = _VERSION + key.id
    return head + nonce + key.cipher.encrypt(nonce, plain, _bound(place, head, row_id))


def _open(key: SubjectKey, place: bytes, row_id: RowId, sealed: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_unsealed(key, place, row_id, sealed))
    return document


def _unsealed(key: SubjectKey, place: bytes, row_id: RowId, sealed: bytes) -> bytes:
    head = sealed[:_HEAD_BYTES]
    if head != _VERSION + key.id:
        raise SealBroken("not sealed under this key")
    try:
        return key.cipher.decrypt(sealed[_HEAD_BYTES:_BODY], sealed[_BODY:], _bound(place, head, row_id))
    except (InvalidTag, ValueError):
        raise SealBroken("the seal is broken") from None


def seal_bytes(key: bytes, aad: bytes, data: bytes) -> bytes:
    """`data` sealed under a 256-bit key and bound to `aad`: version | nonce | ciphertext | tag."""
    nonce = os.urandom(NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, data, _VERSION + aad)


def open_bytes(key: bytes, aad: bytes, sealed: bytes) -> bytes:
    """What `seal_bytes` sealed under this key and `aad`. Raises SealBroken."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + NONCE_BYTES + _TAG_BYTES:
        raise SealBroken("not sealed bytes")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], _VERSION + aad)
    except InvalidTag:
        raise SealBroken("the seal is broken") from None
