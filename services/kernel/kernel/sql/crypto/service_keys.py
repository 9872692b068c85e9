"""Keys that belong to the service and to no person: blind indexes, days, the tombstones' hash."""

from __future__ import annotations

import os
from datetime import date

import psycopg

from kernel.sql.crypto.connections import Connections
from kernel.sql.crypto.errors import DayKeyDestroyed
from kernel.sql.crypto.kms import KEY_BYTES, KeyEncryption, Wrapped
from kernel.sql.crypto.rewrap import service_context

# Making a key holds it shared, destroying alone: nothing is made between the look for a tombstone
# and the insert while it is being destroyed. The number spells "keys".
LOCK_SHARED = "select pg_advisory_xact_lock_shared(1801812339)"
LOCK_ALONE = "select pg_advisory_xact_lock(1801812339)"


class ServiceKeys:
    """The service's own keys, made when first asked for, kept in memory afterwards."""

    def __init__(self, url: str, kek: KeyEncryption, connections: int) -> None:
        self._kek = kek
        self._connections = Connections(url, connections)
        self._service_keys: dict[tuple[str, str], bytes] = {}
        # Replaced, never emptied, when keys are to be forgotten: see day_key.
        self._day_keys: dict[date, bytes] = {}

    def close(self) -> None:
        """Closes idle connections and forgets what can be read again."""
        self.forget()
        self._connections.close()

    def forget(self) -> None:
        """Drops every key from memory that may be destroyed elsewhere."""
        self._day_keys = {}

    def service_key(self, purpose: str, version: str) -> bytes:
        """The 256-bit key of this purpose and version, made when there is none; stays in memory."""
        secret = self._service_keys.get((purpose, version))
        if secret is None:
            secret = self._get_or_create(purpose, version, None)
            assert secret is not None  # only a day's key can be refused
            self._service_keys[purpose, version] = secret
        return secret

    def day_key(self, day: date) -> bytes:
        """The 256-bit key of `day`, made when there is none. Raises DayKeyDestroyed."""
        # Taken before the read: what is read before a destruction lands in the dict it discarded.
        held = self._day_keys
        secret = held.get(day)
        if secret is None:
            secret = self._get_or_create("day", day.isoformat(), day)
            if secret is None:
                raise DayKeyDestroyed(day=day)
            held[day] = secret
        return secret

    def destroy_days_before(self, day: date) -> int:
        """Destroys the keys of all days before `day`, for ever; answers how many there were."""

        def work(connection: psycopg.Connection) -> int:
            with connection.transaction():
                connection.execute(LOCK_ALONE)
                connection.execute(
                    "update app.keyring_state set version = version + 1, days_destroyed_before = %(day)s"
                    " where days_destroyed_before < %(day)s",
                    {"day": day},
                )
                return connection.execute(
                    "delete from app.service_keys where purpose = 'day' and version < %s", (day.isoformat(),)
                ).rowcount

        count = self._connections.run(work)
        self.forget()
        return count

    def _get_or_create(self, purpose: str, version: str, day: date | None) -> bytes | None:
        """The key's secret; None when it is that of a day whose key was destroyed."""
        context = service_context(purpose, version)
        fresh = self._kek.wrap(os.urandom(KEY_BYTES), context)

        def work(connection: psycopg.Connection) -> tuple[str, bytes] | None:
            with connection.pipeline(), connection.transaction():
                connection.execute(LOCK_SHARED)
                connection.execute(
                    "insert into app.service_keys (purpose, version, kek_version, wrapped)"
                    " select %s, %s, %s, %s from app.keyring_state"
                    " where %s::date is null or days_destroyed_before <= %s::date on conflict do nothing",
                    (purpose, version, *fresh, day, day),
                )
                rows = connection.execute(
                    "select kek_version, wrapped from app.service_keys where purpose = %s and version = %s",
                    (purpose, version),
                )
            return rows.fetchone()

        row = self._connections.run(work)
        return self._kek.unwrap(Wrapped(*row), context) if row else None
