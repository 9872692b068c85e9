"""Rotation of the key-encryption key: every wrapped key is wrapped anew, in small transactions."""

from __future__ import annotations

from uuid import UUID

import psycopg

from kernel.sql.crypto.kms import KeyEncryption, Wrapped


def subject_context(subject_id: UUID, key_class: str, key_id: bytes) -> bytes:
    """Binds a wrapped key to its row: moved to another subject or class it does not open."""
    return b"subject\0" + subject_id.bytes + key_id + key_class.encode()


def service_context(purpose: str, version: str) -> bytes:
    """Binds a wrapped key of the service to its purpose and version."""
    return f"service\0{purpose}\0{version}".encode()


def rewrap_service_keys(connection: psycopg.Connection, kek: KeyEncryption) -> int:
    """Wraps the service's own keys under the active version, in one transaction; answers how many."""
    with connection.transaction():
        rows = connection.execute(
            "select purpose, version, kek_version, wrapped from app.service_keys"
            " where kek_version <> %s order by purpose, version for update",
            (kek.active,),
        ).fetchall()
        for purpose, version, kek_version, ciphertext in rows:
            context = service_context(purpose, version)
            fresh = kek.wrap(kek.unwrap(Wrapped(kek_version, ciphertext), context), context)
            connection.execute(
                "update app.service_keys set kek_version = %s, wrapped = %s"
                " where purpose = %s and version = %s",
                (*fresh, purpose, version),
            )
    return len(rows)


def rewrap_subject_keys(
    connection: psycopg.Connection, kek: KeyEncryption, after: tuple[UUID, str], batch: int, lock: str
) -> tuple[int, tuple[UUID, str] | None]:
    """Wraps the next `batch` keys after (subject, class) under the active version, in one transaction.

    `lock` is the statement that keeps destruction out meanwhile. Answers how many, and where to go
    on; None at the end.
    """
    with connection.transaction():
        connection.execute(lock)
        rows = connection.execute(
            "select subject_id, key_class, key_id, kek_version, wrapped from app.subject_keys"
            " where kek_version <> %s and (subject_id, key_class) > (%s, %s)"
            " order by subject_id, key_class limit %s for update",
            (kek.active, *after, batch),
        ).fetchall()
        fresh = []
        for subject_id, key_class, key_id, kek_version, ciphertext in rows:
            context = subject_context(subject_id, key_class, key_id)
            fresh.append(kek.wrap(kek.unwrap(Wrapped(kek_version, ciphertext), context), context))
        connection.execute(
            "update app.subject_keys as held set kek_version = fresh.kek_version, wrapped = fresh.wrapped"
            " from unnest(%b::uuid[], %b::text[], %b::text[], %b::bytea[])"
            " as fresh (subject_id, key_class, kek_version, wrapped)"
            " where held.subject_id = fresh.subject_id and held.key_class = fresh.key_class",
            (
                [row[0] for row in rows],
                [row[1] for row in rows],
                [w.kek_version for w in fresh],
                [w.ciphertext for w in fresh],
            ),
        )
    return len(rows), (rows[-1][0], rows[-1][1]) if len(rows) == batch else None
