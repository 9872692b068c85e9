"""What the roles of a service may do, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from crm_cli.local import databases
from crm_cli.local.databases import Database, NotOurs
from tests.conftest import MARK

Postgres = tuple[str, Callable[..., Database]]


def test_the_owner_makes_tables_and_the_runtime_role_fills_them(postgres: Postgres) -> None:
    admin, make = postgres
    database = make()
    with psycopg.connect(database.owner_url(admin)) as owner:
        owner.execute("create table notes (id bigint generated always as identity, note text)")
        owner.execute("create function jobs.seven() returns int language sql as 'select 7'")
    with psycopg.connect(database.app_url(admin)) as app:
        app.execute("insert into notes (note) values ('a')")
        app.execute("update notes set note = 'b'")
        assert app.execute("select note, seven() from app.notes").fetchall() == [("b", 7)]
        app.execute("delete from notes")
        app.execute("create temporary table staging (note text) on commit drop")


@pytest.mark.parametrize(
    "statement",
    [
        "create table app.notes (id int)",
        "create table public.notes (id int)",
        "create schema mine",
        "drop table app.kept",
        "truncate app.kept",
        "alter table app.kept add column more int",
    ],
)
def test_the_runtime_role_changes_no_schema(postgres: Postgres, statement: str) -> None:
    admin, make = postgres
    database = make()
    with psycopg.connect(database.owner_url(admin)) as owner:
        owner.execute("create table kept (id int)")
    with psycopg.connect(database.app_url(admin)) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement.encode())


def test_no_service_opens_the_database_of_another(postgres: Postgres) -> None:
    admin, make = postgres
    ours, theirs = make(), make()
    for role, password in ((ours.app, ours.app_password), (ours.owner, ours.owner_password)):
        address = psycopg.conninfo.make_conninfo(admin, user=role, password=password, dbname=theirs.name)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(address)


def test_making_them_again_keeps_the_data_and_sets_the_password(postgres: Postgres) -> None:
    admin, make = postgres
    database = make()
    with psycopg.connect(database.owner_url(admin)) as owner:
        owner.execute("create table notes (id int)")
    changed = Database(
        database.name, database.owner, database.app, "new-owner", "new-app", schemas=database.schemas
    )
    databases.create(admin, [changed], MARK, private=False)
    with psycopg.connect(changed.app_url(admin)) as app:
        assert app.execute("select count(*) from notes").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.app_url(admin))


def _state(admin: str, database: Database) -> list[object]:
    """What an administrator sees of a database and its roles."""
    with psycopg.connect(admin) as connection:
        roles = "select rolname, rolpassword, rolconnlimit from pg_authid where rolname = any(%s)"
        found = connection.execute(f"{roles} order by rolname", ([database.owner, database.app],)).fetchall()
        name = "select datname, datacl::text from pg_database where datname = %s"
        return [*found, *connection.execute(name, (database.name,)).fetchall()]


def test_databases_and_roles_of_somebody_else_are_neither_taken_nor_dropped(postgres: Postgres) -> None:
    admin, make = postgres
    theirs = make()
    before = _state(admin, theirs)
    wanted = replace(theirs, owner_password="ours", app_password="ours")
    new = f"test_{uuid4().hex[:12]}"
    free = Database(new, f"{new}_owner", f"{new}_app", "a", "b", ("app",))
    with pytest.raises(NotOurs, match=theirs.owner):
        databases.create(admin, [free, wanted], "another installation", private=False)
    assert databases.drop(admin, [wanted], "another installation") == [
        f"there is a role {theirs.owner!r} that this installation has not made"
    ]
    assert _state(admin, theirs) == before
    assert _state(admin, free) == []


def test_a_database_of_somebody_elses_role_is_not_taken(postgres: Postgres) -> None:
    admin, make = postgres
    theirs = make()
    name = f"test_{uuid4().hex[:12]}"
    wanted = Database(theirs.name, f"{name}_owner", f"{name}_app", "a", "b", ("app",))
    with pytest.raises(NotOurs, match=f"database '{theirs.name}'"):
        databases.create(admin, [wanted], "another installation", private=False)
    assert databases.drop(admin, [wanted], "another installation")
    with psycopg.connect(theirs.owner_url(admin)) as owner:
        owner.execute("create table still_there (id int)")


def test_a_table_holds_rows_or_is_empty_or_not_there(postgres: Postgres) -> None:
    admin, make = postgres
    address = make().owner_url(admin)
    assert not databases.holds_rows(address, "app.notes")
    with psycopg.connect(address) as owner:
        owner.execute("create table notes (id int)")
    assert not databases.holds_rows(address, "app.notes")
    with psycopg.connect(address) as owner:
        owner.execute("insert into notes values (1)")
    assert databases.holds_rows(address, "app.notes")
