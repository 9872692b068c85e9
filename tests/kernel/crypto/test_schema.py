"""The keyring's tables: made once, usable by a role that owns nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.schema import keyring_is_current, upgrade_keyring


def test_two_upgrades_at_once_apply_each_version_once(new_database: Callable[[], str]) -> None:
    url = new_database()
    assert not keyring_is_current(url)
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(upgrade_keyring, [url, url]))
    assert sorted(applied) == [[], [1]]
    assert upgrade_keyring(url) == []
    assert keyring_is_current(url)


@pytest.fixture
def roles(server_url: str) -> Iterator[tuple[str, str]]:
    """An owner and a runtime role, dropped with all they own."""
    names = tuple(f"keyring_test_{uuid4().hex[:8]}_{role}" for role in ("owner", "app"))
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("create role {} login password 'test'").format(sql.Identifier(name)))
    yield names[0], names[1]
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@pytest.fixture
def app_url(roles: tuple[str, str], new_database: Callable[[], str]) -> Iterator[str]:
    """A keyring whose schema belongs to the owner, opened by the runtime role with DML alone."""
    url = new_database()
    owner, app = (sql.Identifier(name) for name in roles)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "create schema app authorization {owner}",
            "grant usage on schema app to {app}",
            "alter default privileges for role {owner} in schema app"
            " grant select, insert, update, delete on tables to {app}",
        ):
            connection.execute(sql.SQL(statement).format(owner=owner, app=app))
    upgrade_keyring(make_conninfo(url, user=roles[0], password="test"))
    yield make_conninfo(url, user=roles[1], password="test")
    with psycopg.connect(url, autocommit=True) as connection:
        for role in (app, owner):
            connection.execute(sql.SQL("drop owned by {} cascade").format(role))


def test_the_runtime_role_owns_nothing_and_can_do_all_that_keyrings_do(
    app_url: str, new_keyring: Callable[..., Keyring]
) -> None:
    keyring, subject = new_keyring(app_url), uuid4()

    def with_data(subject_ids: Sequence[UUID], key_class: str) -> Sequence[UUID]:
        return subject_ids

    assert keyring_is_current(app_url)
    assert subject in keyring.create([subject], "operational")
    assert keyring.day_key(date(2026, 1, 1)) == keyring.day_key(date(2026, 1, 1))
    assert keyring.sweep_orphans(timedelta(days=1), with_data) == 0
    assert keyring.rewrap() == 0
    assert keyring.poll_version()
    assert keyring.destroy([subject]) == 1
    assert keyring.destroy_days_before(date(2026, 1, 2)) == 1
    keyring.close()
