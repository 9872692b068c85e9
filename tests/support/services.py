"""A service on databases of a test's own, migrated as in production."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kernel.ops.settings import Settings
from kernel.pure.clock import Clock
from kernel.sql.app import App
from kernel.sql.crypto.schema import upgrade_keyring
from kernel.sql.migrate import upgrade
from tests.support import servers

AppType = TypeVar("AppType", bound=App)


@contextmanager
def service(
    kind: type[AppType], clock: Clock | None = None, settings_class: type[Settings] = Settings, **more: Any
) -> Iterator[AppType]:
    """The wired service with an empty database and keyring; both are dropped at the end.

    `more` are further settings.
    """
    with servers.database(ddl=()) as database_url, servers.database(ddl=()) as keyring_url:
        upgrade_keyring(keyring_url)
        upgrade(database_url, kind.service)
        settings = settings_class(
            database_url=database_url, keyring_url=keyring_url, kek_file=servers.kek_file(), **more
        )
        app = kind(settings, clock)
        try:
            yield app
        finally:
            app.close()
