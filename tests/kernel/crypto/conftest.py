"""A keyring database of its own for each test session, on a real PostgreSQL server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption
from kernel.sql.crypto.schema import upgrade_keyring
from kernel.sql.crypto.sealing import Sealer
from tests.support.servers import setting

KekFile = Callable[..., Path]


@pytest.fixture(scope="session")
def server_url() -> str:
    """A superuser's URL of a PostgreSQL server on which tests may make databases."""
    return setting("CRM_TEST_KEYRING_URL")


@pytest.fixture(scope="session")
def new_database(server_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; answers the URL of each. They are dropped at the end."""
    made: list[str] = []

    def make() -> str:
        made.append(f"keyring_test_{uuid4().hex[:12]}")
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(made[-1])))
        return psycopg.conninfo.make_conninfo(server_url, dbname=made[-1])

    yield make
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in made:
            drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            connection.execute(drop)


@pytest.fixture(scope="session")
def keyring_url(new_database: Callable[[], str]) -> str:
    """An upgraded keyring database, shared by the session: tests use subjects of their own."""
    url = new_database()
    upgrade_keyring(url)
    return url


@pytest.fixture
def write_kek_file(tmp_path_factory: pytest.TempPathFactory) -> KekFile:
    """Writes a file of key-encryption keys: secrets by version, and the active version."""

    def write(secrets: dict[str, bytes], active: str, path: Path | None = None) -> Path:
        path = path or tmp_path_factory.mktemp("kek") / "kek.json"
        keys = {version: base64.b64encode(secret).decode() for version, secret in secrets.items()}
        path.write_text(json.dumps({"active": active, "keys": keys}))
        return path

    return write


@pytest.fixture
def kek_path(write_kek_file: KekFile) -> Path:
    return write_kek_file({"1": bytes(range(32))}, "1")


@pytest.fixture
def new_keyring(keyring_url: str, kek_path: Path) -> Iterator[Callable[..., Keyring]]:
    """Makes keyrings on the shared database, each as another process would have it."""
    made: list[Keyring] = []

    def make(url: str = keyring_url, path: Path = kek_path, **options: float) -> Keyring:
        made.append(Keyring(url, KeyEncryption(FileProvider(path)), **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for keyring in made:
        keyring.close()


@pytest.fixture
def keyring(new_keyring: Callable[..., Keyring]) -> Keyring:
    return new_keyring()


@pytest.fixture
def sealer(keyring: Keyring) -> Sealer:
    return Sealer(keyring, installation="test", service="customer")
