"""`python -m <service>.store upgrade | check | rewrap`: the schema, moved by the role that owns it, and the
keys of the service under a new key-encryption key."""

from __future__ import annotations

import sys
from importlib import resources
from typing import Any

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from kernel.ops.settings import Settings
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption
from kernel.sql.crypto.schema import upgrade_keyring
from kernel.sql.revisions import folder, head

# Any number; the same for all, so that two upgrades of one database wait for each other.
_UPGRADE_LOCK = 7_300_001

# What was audited stays, and what a service's own tables guard by a trigger called append_only: whoever
# runs the service may add to it and read it.
_APPEND_ONLY = """
do $$
declare held record;
begin
    for held in
        select distinct grantee, table_name from information_schema.role_table_grants
        where table_schema = 'app' and grantee <> current_user
        and (table_name in ('audit', 'audit_chain', 'audit_checkpoints') or exists (
            select from pg_trigger t
            where t.tgname = 'append_only' and t.tgrelid = to_regclass('app.' || quote_ident(table_name))))
    loop
        execute 'revoke update, delete, truncate on app.' || quote_ident(held.table_name)
            || ' from ' || quote_ident(held.grantee);
    end loop;
end $$
"""


def main(package: str) -> None:
    """Runs the command named on the command line for the service whose package is `package`."""
    command = sys.argv[1:]
    if command not in (["upgrade"], ["check"], ["rewrap"]):
        raise SystemExit(f"usage: python -m {package}.store upgrade | check | rewrap")
    settings = Settings()
    if command == ["rewrap"]:
        sys.stdout.write(f"{rewrap(settings)} keys wrapped anew under the active key\n")
        return
    if command == ["check"]:
        at, wanted = current(settings.database_url.get_secret_value()), head(package)
        if at != wanted:
            raise SystemExit(f"the schema is at {at}, this code needs {wanted}")
        return
    if settings.database_owner_url is None or settings.keyring_owner_url is None:
        raise SystemExit("upgrade needs CRM_DATABASE_OWNER_URL and CRM_KEYRING_OWNER_URL")
    upgrade_keyring(settings.keyring_owner_url.get_secret_value())
    upgrade(settings.database_owner_url.get_secret_value(), package)


def upgrade(owner_url: str, package: str) -> None:
    """Moves the database at `owner_url` to the newest revision of the service."""
    scripts = _scripts(package)
    with _connect(owner_url) as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        connection.commit()
        steps = EnvironmentContext(
            _config(package), scripts, fn=lambda at, _: scripts._upgrade_revs("head", at)
        )
        steps.configure(connection=connection, version_table_schema="app", transaction_per_migration=True)
        with steps.begin_transaction():
            steps.run_migrations()
        connection.exec_driver_sql(_APPEND_ONLY)
        connection.commit()


def rewrap(settings: Settings) -> int:
    """Wraps every key of the service under the active key-encryption key, while the service goes on;
    answers how many were not. Raises KeyringUnavailable."""
    keyring = Keyring(settings.keyring_url.get_secret_value(), KeyEncryption(FileProvider(settings.kek_file)))
    try:
        return keyring.rewrap()
    finally:
        keyring.close()


def current(url: str) -> str | None:
    """The revision the database at `url` is at."""
    with _connect(url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": "app"})
        return context.get_current_revision()


def execute_ddl(operations: Any, name: str) -> None:
    """Runs a frozen SQL file of the kernel ("0001_kernel") in a migration; `operations` is alembic.op."""
    sql = resources.files("kernel.sql").joinpath("ddl", f"{name}.sql").read_text("utf-8")
    operations.get_bind().exec_driver_sql(sql)


def _scripts(package: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(package))


def _config(package: str) -> Config:
    versions = folder(package)
    config = Config()
    config.set_main_option("script_location", str(versions.parent))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    return config


def _connect(url: str) -> Connection:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    return engine.connect()
