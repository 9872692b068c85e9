"""The keyring of a service: random keys, wrapped by the key-encryption key, in a database of their own.

A key commits here before the data it seals commits elsewhere. Destroying a subject's keys makes all
that was sealed under them unreadable; a tombstone refuses to make such keys again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from kernel.sql.crypto.cache import KeyCache, SubjectKey
from kernel.sql.crypto.errors import SubjectErased
from kernel.sql.crypto.kms import KEY_BYTES, KeyEncryption, Wrapped
from kernel.sql.crypto.rewrap import rewrap_service_keys, rewrap_subject_keys, subject_context
from kernel.sql.crypto.service_keys import LOCK_ALONE, LOCK_SHARED, ServiceKeys
from kernel.sql.prepared import run

KEY_ID_BYTES = 8
# A key asked for in order to write is marked so at most once in this time …
TOUCH_EVERY = timedelta(hours=1)
# … so that one not asked for this long has no writer left who holds it in memory.
YOUNGEST_ORPHAN = timedelta(hours=6)

_SELECT_KEYS = """
    select subject_id, key_id, kek_version, wrapped from app.subject_keys
    where key_class = %s and subject_id = any(%s)
"""
_INSERT_KEYS = """
    insert into app.subject_keys as held (subject_id, key_class, key_id, kek_version, wrapped)
    select subject_id, %s, key_id, kek_version, wrapped
    from unnest(%s::uuid[], %s::bytea[], %s::text[], %s::bytea[])
    with ordinality as fresh (subject_id, key_id, kek_version, wrapped, place)
    where not exists (select from app.tombstones where mac = any(%s::bytea[])) order by place
    on conflict (subject_id, key_class) do update set touched_at = now()
    where held.touched_at < now() - %s
"""

WithData = Callable[[Sequence[UUID], str], Collection[UUID]]


class _FreshKeys(NamedTuple):
    """Keys made for subjects that may have none yet, as columns."""

    key_ids: list[bytes]
    kek_versions: list[str]
    wrapped: list[bytes]


class Keyring(ServiceKeys):
    """One per process; safe between threads. Connects when first used, and again after a failure.

    Every method may raise KeyringUnavailable, except for keys that are in memory.
    """

    def __init__(
        self,
        url: str,
        kek: KeyEncryption,
        *,
        cache_seconds: float = 300.0,
        cache_size: int = 20_000,
        connections: int = 4,
    ) -> None:
        super().__init__(url, kek, connections)
        self._cache = KeyCache(cache_seconds, cache_size)
        self._version: int | None = None

    def forget(self) -> None:
        """Drops every key from memory that may be destroyed elsewhere."""
        super().forget()
        self._cache.forget()

    # ---- keys of subjects

    def create(self, subject_ids: Iterable[UUID], key_class: str) -> dict[UUID, SubjectKey]:
        """The keys of `subject_ids` for writing; missing ones are made and committed before it returns.

        Raises SubjectErased naming those that have a tombstone; then no key was made.
        """
        wanted = set(subject_ids)
        held = self._cache.get(key_class, wanted, writable=True)
        # Sorted, so that two that make the same keys at once wait for each other in one order.
        missing = sorted(wanted - held.keys(), key=attrgetter("int"))
        if not missing:
            return held
        generation = self._cache.generation
        tombstones = self._tombstones(missing, ("", key_class))
        fresh, secrets = self._fresh_keys(missing, key_class)

        def work(connection: psycopg.Connection) -> tuple[list[Any], list[Any]]:
            macs = list(tombstones)
            # In autocommit, what goes one way is one transaction.
            _, found, _, rows = run(
                connection,
                (LOCK_SHARED, ()),
                ("select mac from app.tombstones where mac = any(%s::bytea[])", (macs,)),
                (_INSERT_KEYS, (key_class, missing, *fresh, macs, TOUCH_EVERY)),
                (_SELECT_KEYS, (key_class, missing)),
            )
            return [mac for (mac,) in found], rows

        erased, rows = self._connections.run(work)
        if erased:
            raise SubjectErased(tombstones[mac] for mac in erased)
        made = self._unwrap(rows, key_class, secrets)
        self._cache.add(key_class, made, generation=generation, writable=True)
        return held | made

    def keys(self, subject_ids: Iterable[UUID], key_class: str) -> dict[UUID, SubjectKey]:
        """The keys of `subject_ids` for reading; a key that was destroyed or never made is absent."""
        wanted = set(subject_ids)
        held = self._cache.get(key_class, wanted, writable=False)
        missing = list(wanted - held.keys())
        if not missing:
            return held
        generation = self._cache.generation
        [rows] = self._connections.run(
            lambda connection: run(connection, (_SELECT_KEYS, (key_class, missing)))
        )
        read = self._unwrap(rows, key_class)
        self._cache.add(key_class, read, generation=generation, writable=False)
        return held | read

    def destroy(self, subject_ids: Iterable[UUID], key_classes: Collection[str] | None = None) -> int:
        """Destroys the subjects' keys of these classes, or of all classes, now and for ever.

        Answers how many keys there were. Other processes notice at their next `poll_version`.
        """
        subjects = list(set(subject_ids))
        if not subjects:
            return 0
        classes = None if key_classes is None else list(key_classes)
        tombstones = self._tombstones(subjects, ("",) if classes is None else classes)

        def work(connection: psycopg.Connection) -> int:
            with connection.transaction():
                connection.execute(LOCK_ALONE)
                connection.execute(
                    "insert into app.tombstones (mac) select unnest(%s::bytea[]) on conflict do nothing",
                    (list(tombstones),),
                )
                deleted = connection.execute(
                    "delete from app.subject_keys where subject_id = any(%(subjects)s)"
                    " and (%(classes)s::text[] is null or key_class = any(%(classes)s))",
                    {"subjects": subjects, "classes": classes},
                )
                connection.execute("update app.keyring_state set version = version + 1")
            return deleted.rowcount

        count = self._connections.run(work)
        self.forget()
        return count

    def erased(self, subject_ids: Iterable[UUID], key_class: str) -> set[UUID]:
        """Those of `subject_ids` whose data of this class may not be written again."""
        tombstones = self._tombstones(set(subject_ids), ("", key_class))
        if not tombstones:
            return set()
        rows = self._connections.run(
            lambda connection: connection.execute(
                "select mac from app.tombstones where mac = any(%b)", (list(tombstones),)
            ).fetchall()
        )
        return {tombstones[mac] for (mac,) in rows}

    def poll_version(self) -> bool:
        """Forgets the keys in memory when some were destroyed since the last poll; answers whether.

        Each process calls it each second: a destroyed key lives on elsewhere no longer than that.
        """
        row = self._connections.run(
            lambda connection: connection.execute("select version from app.keyring_state").fetchone()
        )
        version = row[0] if row else None
        if version == self._version:
            return False
        self.forget()
        self._version = version
        return True

    # ---- care of the keyring

    def rewrap(self, batch: int = 1000) -> int:
        """Wraps every key under the active key-encryption key; answers how many were not.

        Reads and writes go on. When it answers 0 and no process has an older version active, the
        older versions can be taken away.
        """
        count = self._connections.run(lambda connection: rewrap_service_keys(connection, self._kek))
        after: tuple[UUID, str] | None = (UUID(int=0), "")
        while after is not None:
            step = partial(rewrap_subject_keys, kek=self._kek, after=after, batch=batch, lock=LOCK_SHARED)
            changed, after = self._connections.run(step)
            count += changed
        return count

    def sweep_orphans(
        self,
        older_than: timedelta,
        with_data: WithData,
        *,
        lookback: timedelta | None = None,
        batch: int = 500,
    ) -> int:
        """Deletes keys that nobody asked for since `older_than` ago and that seal nothing.

        They remain when the data's own transaction failed. `with_data(subject_ids, key_class)`
        answers those that have data. `lookback` limits the look to keys asked for within that time
        before (a daily sweep need not see all keys). ValueError when `older_than` is so short that
        a writer may still hold such a key. No tombstone: the subject may come back.
        """
        if older_than < YOUNGEST_ORPHAN:
            raise ValueError(f"orphans are at least {YOUNGEST_ORPHAN} old")
        count = 0
        after: tuple[UUID, str] | None = (UUID(int=0), "")
        while after is not None:
            candidates = self._old_keys(older_than, lookback, after, batch)
            after = candidates[-1] if len(candidates) == batch else None
            for key_class in sorted({key_class for _, key_class in candidates}):
                subjects = [subject for subject, other in candidates if other == key_class]
                used = set(with_data(subjects, key_class))
                count += self._delete_old([s for s in subjects if s not in used], key_class, older_than)
        return count

    def _old_keys(
        self, older_than: timedelta, lookback: timedelta | None, after: tuple[UUID, str], batch: int
    ) -> list[tuple[UUID, str]]:
        def work(connection: psycopg.Connection) -> list[tuple[UUID, str]]:
            return connection.execute(
                "select subject_id, key_class from app.subject_keys where touched_at < now() - %s"
                " and (%s::interval is null or touched_at >= now() - %s::interval)"
                " and (subject_id, key_class) > (%s, %s) order by subject_id, key_class limit %s",
                (older_than, lookback, older_than + (lookback or timedelta()), *after, batch),
            ).fetchall()

        return self._connections.run(work)

    def _delete_old(self, subject_ids: list[UUID], key_class: str, older_than: timedelta) -> int:
        def work(connection: psycopg.Connection) -> int:
            with connection.transaction():
                connection.execute(LOCK_ALONE)
                # The age is asked again: somebody may have come back to write meanwhile.
                return connection.execute(
                    "delete from app.subject_keys where subject_id = any(%s) and key_class = %s"
                    " and touched_at < now() - %s",
                    (subject_ids, key_class, older_than),
                ).rowcount

        return self._connections.run(work) if subject_ids else 0

    # ---- inside

    def _fresh_keys(
        self, subject_ids: Sequence[UUID], key_class: str
    ) -> tuple[_FreshKeys, dict[bytes, bytes]]:
        """A key for each subject, and the secrets by how they were wrapped."""
        random = os.urandom((KEY_ID_BYTES + KEY_BYTES) * len(subject_ids))
        key_ids, secrets = (
            [random[start + size * place : start + size * (place + 1)] for place in range(len(subject_ids))]
            for start, size in ((0, KEY_ID_BYTES), (KEY_ID_BYTES * len(subject_ids), KEY_BYTES))
        )
        wrapped = [
            self._kek.wrap(secret, subject_context(subject_id, key_class, key_id))
            for subject_id, key_id, secret in zip(subject_ids, key_ids, secrets, strict=True)
        ]
        columns = _FreshKeys(key_ids, [w.kek_version for w in wrapped], [w.ciphertext for w in wrapped])
        return columns, dict(zip(columns.wrapped, secrets, strict=True))

    def _unwrap(
        self,
        rows: Iterable[tuple[UUID, bytes, str, bytes]],
        key_class: str,
        secrets: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> dict[UUID, SubjectKey]:
        """The keys of rows; `secrets` are those that were wrapped here a moment ago."""
        return {
            subject_id: SubjectKey(
                key_id,
                secrets.get(wrapped)
                or self._kek.unwrap(
                    Wrapped(kek_version, wrapped), subject_context(subject_id, key_class, key_id)
                ),
            )
            for subject_id, key_id, kek_version, wrapped in rows
        }

    def _tombstones(self, subject_ids: Collection[UUID], key_classes: Collection[str]) -> dict[bytes, UUID]:
        """The keyed hash of each subject and class, with its subject; class "" stands for all."""
        key = self.service_key("tombstones", "1")
        return {
            blake2b(subject_id.bytes + key_class.encode(), key=key, digest_size=16).digest(): subject_id
            for key_class in key_classes
            for subject_id in subject_ids
        }
