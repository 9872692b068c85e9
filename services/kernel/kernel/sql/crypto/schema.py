"""The keyring database's own tables, brought up to date by frozen SQL files."""

from __future__ import annotations

from importlib.resources import files

import psycopg

from kernel.sql.crypto.connections import connect
from kernel.sql.crypto.errors import KeyringUnavailable

# "keyring" as a number: two upgrades at once queue here.
_UPGRADE_LOCK = 0x6B657972696E67


def _scripts() -> dict[int, str]:
    """The SQL of each version, in order: ddl/0001_keyring.sql is version 1."""
    folder = files("kernel.sql.crypto").joinpath("ddl")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {int(name[:4]): folder.joinpath(name).read_text("utf-8") for name in names}


def upgrade_keyring(owner_url: str) -> list[int]:
    """Applies what is missing, in one transaction, as the owner; answers the versions applied.

    Safe to repeat and to run by two at once. Raises psycopg's errors.
    """
    with connect(owner_url) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_UPGRADE_LOCK,))
        # Asked first: "if not exists" demands the right to create schemas even when there is one.
        if connection.execute("select to_regnamespace('app')").fetchone() == (None,):
            connection.execute("create schema app")
        if connection.execute("select to_regclass('app.keyring_schema')").fetchone() == (None,):
            connection.execute(
                "create table app.keyring_schema ("
                "version integer primary key, applied_at timestamptz not null default now())"
            )
        rows = connection.execute("select version from app.keyring_schema").fetchall()
        missing = {version: sql for version, sql in _scripts().items() if (version,) not in rows}
        for version, sql in missing.items():
            connection.execute(sql.encode())
            connection.execute("insert into app.keyring_schema (version) values (%s)", (version,))
    return list(missing)


def keyring_is_current(url: str) -> bool:
    """Whether the database has every version this code knows; newer ones do no harm.

    Raises KeyringUnavailable when it can't be reached.
    """
    try:
        with connect(url) as connection:
            rows = connection.execute("select version from app.keyring_schema").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return False
    except psycopg.OperationalError as error:
        raise KeyringUnavailable() from error
    return set(_scripts()) <= {version for (version,) in rows}
