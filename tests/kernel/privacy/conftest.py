"""A service that holds one table about persons, on a database and a keyring of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kernel.ops.settings import Settings
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.crypto.schema import upgrade_keyring
from kernel.sql.uow import UnitOfWork
from tests.support import servers

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


class Sales(App):
    service = "sales"


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    with servers.database() as url, servers.database(ddl=()) as keyring_url:
        upgrade_keyring(keyring_url)
        settings = Settings(database_url=url, keyring_url=keyring_url, kek_file=servers.kek_file())
        app = Sales(settings, FixedClock(ZoneInfo("Asia/Shanghai"), NOON))
        with app.engine.begin() as connection:
            connection.exec_driver_sql("create table letters (id uuid, person_id uuid, sealed bytea)")
        yield app
        app.close()


@pytest.fixture
def app(module_app: App) -> App:
    """The service with empty tables."""
    module_app.clock.instant = NOON
    with module_app.engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate letters, audit, audit_unsealed, audit_chain, audit_checkpoints, outbox,"
            " restricted_subjects, erased_subjects"
        )
    return module_app


@pytest.fixture
def work(app: App) -> Callable[[], UnitOfWork]:
    """Opens units of work."""
    return lambda: app.work(Principal.service("sales"))
