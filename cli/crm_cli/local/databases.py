"""Databases, roles and schemas of each service on both clusters. Running it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from crm_cli.local.layout import APP_CONNECTIONS, OWNER_CONNECTIONS

_MARK_OF_ROLE = "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s"
_MARK_OF_OWNER = "select shobj_description(datdba, 'pg_authid') from pg_database where datname = %s"


class NotOurs(Exception):
    """A role or database of a name that we need belongs to somebody else."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is a {what} {name!r} that this installation has not made")


@dataclass(frozen=True)
class Database:
    """A database with a role that owns the schemas and one that works with the data."""

    name: str
    owner: str
    app: str
    owner_password: str
    app_password: str
    schemas: tuple[str, ...]

    def owner_url(self, admin_url: str) -> str:
        """The owner's address of this database on the cluster of `admin_url`."""
        return self._url(admin_url, self.owner, self.owner_password)

    def app_url(self, admin_url: str) -> str:
        """The runtime role's address of this database on the cluster of `admin_url`."""
        return self._url(admin_url, self.app, self.app_password)

    def _url(self, admin_url: str, role: str, password: str) -> str:
        cluster = psycopg.conninfo.conninfo_to_dict(admin_url)
        host, port = cluster.get("host", "127.0.0.1"), cluster.get("port", 5432)
        return f"postgresql://{role}:{password}@{host}:{port}/{self.name}"


def of_service(service: str, cluster: str, password: Callable[[str], str]) -> Database:
    """The database of a service on the cluster "main", or its keyring on "keyring"."""
    owner, app = f"{service}_owner", f"{service}_app"
    return Database(
        name=service if cluster == "main" else f"keyring_{service}",
        owner=owner,
        app=app,
        owner_password=password(f"postgres-{cluster}:{owner}"),
        app_password=password(f"postgres-{cluster}:{app}"),
        schemas=("app", "jobs") if cluster == "main" else ("app",),
    )


def create(admin_url: str, databases: list[Database], mark: str, private: bool) -> None:
    """Creates or corrects roles and databases. Roles bear `mark` as their comment; a database is ours when
    its owner does. `private` = the cluster is ours alone, so its `postgres` database can be closed to the
    services too.

    Raises NotOurs, before anything is changed, when one of the names is somebody else's.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for database in databases if not private else ():
            _check_ours(connection, database, mark)
        for database in databases:
            _roles(connection, database, mark)
            _database(connection, database)
        if private:
            connection.execute("revoke connect, temporary on database postgres, template1 from public")
    for database in databases:
        address = psycopg.conninfo.make_conninfo(admin_url, dbname=database.name)
        with psycopg.connect(address) as connection:
            _schemas(connection, database)


def drop(admin_url: str, databases: list[Database], mark: str) -> list[str]:
    """Removes databases and their roles, whoever is still connected; those that are somebody else's stay.

    Answers what stayed.
    """
    stayed = []
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for database in databases:
            try:
                _check_ours(connection, database, mark)
            except NotOurs as error:
                stayed.append(str(error))
                continue
            name = sql.Identifier(database.name)
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
            for role in (database.app, database.owner):
                connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
    return stayed


def holds_rows(url: str, table: str) -> bool:
    """Whether a table is there and not empty."""
    with psycopg.connect(url) as connection:
        if connection.execute("select to_regclass(%s)", (table,)).fetchone() == (None,):
            return False
        name = sql.Identifier(*table.split("."))
        return connection.execute(sql.SQL("select from {} limit 1").format(name)).fetchone() is not None


def _check_ours(connection: psycopg.Connection, database: Database, mark: str) -> None:
    """Raises NotOurs for a role without our mark, or a database of an owner who has none."""
    for role in (database.owner, database.app):
        known = connection.execute(_MARK_OF_ROLE, (role,)).fetchone()
        if known is not None and known[0] != mark:
            raise NotOurs("role", role)
    known = connection.execute(_MARK_OF_OWNER, (database.name,)).fetchone()
    if known is not None and known[0] != mark:
        raise NotOurs("database", database.name)


def _roles(connection: psycopg.Connection, database: Database, mark: str) -> None:
    wanted = (
        (database.owner, database.owner_password, OWNER_CONNECTIONS),
        (database.app, database.app_password, APP_CONNECTIONS),
    )
    for role, password, connections in wanted:
        known = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
        verb = sql.SQL("alter role" if known else "create role")
        name = sql.Identifier(role)
        with connection.transaction():
            connection.execute(
                sql.SQL(
                    "{} {} login nosuperuser nocreatedb nocreaterole connection limit {} password {}"
                ).format(verb, name, sql.Literal(connections), sql.Literal(password))
            )
            connection.execute(sql.SQL("comment on role {} is {}").format(name, sql.Literal(mark)))


def _database(connection: psycopg.Connection, database: Database) -> None:
    name, owner, app = map(sql.Identifier, (database.name, database.owner, database.app))
    known = connection.execute("select 1 from pg_database where datname = %s", (database.name,)).fetchone()
    if not known:
        connection.execute(sql.SQL("create database {} owner {}").format(name, owner))
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    connection.execute(sql.SQL("grant connect, temporary on database {} to {}, {}").format(name, owner, app))
    path = sql.SQL(", ").join(map(sql.Identifier, database.schemas))
    for role in (owner, app):
        connection.execute(
            sql.SQL("alter role {} in database {} set search_path = {}").format(role, name, path)
        )


def _schemas(connection: psycopg.Connection, database: Database) -> None:
    owner, app = sql.Identifier(database.owner), sql.Identifier(database.app)
    connection.execute("revoke all on schema public from public")
    for schema in map(sql.Identifier, database.schemas):
        connection.execute(sql.SQL("create schema if not exists {} authorization {}").format(schema, owner))
        connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, app))
        for rights in (
            "select, insert, update, delete on tables",
            "usage, select, update on sequences",
            "execute on functions",
        ):
            connection.execute(
                sql.SQL(
                    "alter default privileges for role {} in schema {} grant " + rights + " to {}"
                ).format(owner, schema, app)
            )
