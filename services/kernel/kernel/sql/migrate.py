"""`python -m <service>.store upgrade | check`: the schema, moved by the role that owns it."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text

from kernel.ops.settings import Settings
from kernel.sql.crypto.schema import upgrade_keyring

# Any number; the same for all, so that two upgrades of one database wait for each other.
_UPGRADE_LOCK = 7_300_001


def execute_ddl(operations: type[Operations] | object, name: str) -> None:
    """Runs one of the kernel's frozen SQL files ("0001_kernel") inside a migration; `operations` is alembic.op."""
    sql = resources.files("kernel.sql").joinpath("ddl", f"{name}.sql").read_text("utf-8")
    operations.get_bind().exec_driver_sql(sql)  # type: ignore[attr-defined]


def main(package: str, arguments: list[str] | None = None) -> None:
    """Runs the command named on the command line for the service whose package is `package`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments not in (["upgrade"], ["check"]):
        raise SystemExit(f"usage: python -m {package}.store upgrade | check")
    settings = Settings()  # type: ignore[call-arg]
    if arguments == ["check"]:
        at, head = current_and_head(settings.database_url.get_secret_value(), package)
        if at != head:
            raise SystemExit(f"the schema is at {at}, this code needs {head}")
        return
    if settings.database_owner_url is None or settings.keyring_owner_url is None:
        raise SystemExit("upgrade needs CRM_DATABASE_OWNER_URL and CRM_KEYRING_OWNER_URL")
    upgrade_keyring(settings.keyring_owner_url.get_secret_value())
    upgrade(settings.database_owner_url.get_secret_value(), package)


def upgrade(owner_url: str, package: str) -> None:
    """Moves the database at `owner_url` to the newest revision of the service."""
    script = _scripts(package)
    with _connect(owner_url) as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        connection.commit()
        steps = EnvironmentContext(
            config(package), script, fn=lambda revisionision, _: script._upgrade_revs("head", revision)
        )
        steps.configure(connection=connection, version_table_schema="app", transaction_per_migration=True)
        with steps.begin_transaction():
            steps.run_migrations()
        connection.commit()


def current_and_head(url: str, package: str) -> tuple[str | None, str]:
    """The revision the database is at, and the newest one this code knows."""
    with _connect(url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": "app"})
        return context.get_current_revision(), head(package)


def head(package: str) -> str:
    """The newest revision this code knows ("0003")."""
    return _scripts(package).get_current_head() or ""


def _config(package: str) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(_versions(package).parent))
    settings.set_main_option("version_locations", str(_versions(package)))
    settings.set_main_option("path_separator", "newline")
    return settings


def _scripts(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(config(package))


def _versions(package: str) -> Path:
    return Path(str(resources.files(f"{package}.store").joinpath("migrations", "versions")))


def _connect(url: str) -> Connection:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg")).connect()
