"""What the roles of a service may do, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from crm_cli.local import databases
from crm_cli.local.databases import Database

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
    databases.create(admin, [changed], private=False)
    with psycopg.connect(changed.app_url(admin)) as app:
        assert app.execute("select count(*) from notes").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.app_url(admin))
