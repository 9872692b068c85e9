"""Unwrapped subject keys, kept in memory for some minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SubjectKey:
    """The key of one subject and class; `id` names it in what it sealed."""

    __slots__ = ("_secret", "id")

    def __init__(self, id: bytes, secret: bytes) -> None:
        self.id = id
        self._secret = secret

    @property
    def cipher(self) -> AESGCM:
        """Made at each use: it takes 1 µs to make and 3 KB to keep."""
        return AESGCM(self._secret)

    def __repr__(self) -> str:
        return f"SubjectKey(id={self.id.hex()})"


class _Entry(NamedTuple):
    key: SubjectKey
    expires: float
    writable: bool


class KeyCache:
    """At most `size` keys for at most `seconds`.

    `generation` changes with each `forget`: whoever read keys before it may not add them after it,
    or a destroyed key would live on here.
    """

    def __init__(self, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, UUID], _Entry] = OrderedDict()
        self.generation = 0

    def get(self, key_class: str, subject_ids: Iterable[UUID], *, writable: bool) -> dict[UUID, SubjectKey]:
        """The keys held; with `writable` only those that were asked for in order to write."""
        found = {}
        now = time.monotonic()
        for subject_id in subject_ids:
            # A single look-up in a dict is atomic: no lock on the way of every read.
            entry = self._entries.get((key_class, subject_id))
            if entry and entry.expires > now and (entry.writable or not writable):
                found[subject_id] = entry.key
        return found

    def add(self, key_class: str, keys: dict[UUID, SubjectKey], *, generation: int, writable: bool) -> None:
        """Holds `keys`, which were read when the cache had that `generation`."""
        expires = time.monotonic() + self._seconds
        with self._lock:
            if generation != self.generation:
                return
            for subject_id, key in keys.items():
                self._entries.pop((key_class, subject_id), None)
                self._entries[key_class, subject_id] = _Entry(key, expires, writable)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self) -> None:
        """Drops every key."""
        with self._lock:
            self.generation += 1
            self._entries.clear()
