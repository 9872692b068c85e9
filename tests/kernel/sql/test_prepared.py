"""Statements on the driver: what they answer, what a failure leaves, and that they outlive rollbacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from kernel.sql import prepared
from kernel.sql.prepared import run
from tests.support import servers

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def connection() -> Iterator[Connection]:
    with servers.database(ddl=()) as url, psycopg.connect(url) as connected:
        connected.execute("create table app.things (id int primary key, name text)")
        connected.commit()
        yield connected


def names(connection: Connection) -> list[str]:
    return [name for (name,) in run(connection, ("select name from app.things order by id", ()))[0]]


def test_values_go_and_come_as_with_cursors_of_the_driver(connection: Connection) -> None:
    known, at = uuid4(), datetime(2026, 3, 1, 8, tzinfo=UTC)
    values = {
        "id": known,
        "at": at,
        "texts": ["一", "b"],
        "none": None,
        "numbers": [1, 2**40],
        "data": b"\0\xff",
    }
    sql = """
        select %(id)s::uuid as id, %(at)s::timestamptz as at, %(texts)s::text[] as texts,
               %(none)s::text as none, %(numbers)s::bigint[] as numbers, %(data)s::bytea as data,
               '100%%' as share
    """
    [[row]] = run(connection, (sql, values))
    assert row._asdict() == {**values, "share": "100%"}
    assert run(connection, ("select %s + %s as sum", (1, 2)), ("select 1 where false", ())) == [[(3,)], []]


def test_statements_of_one_way_are_one_transaction(connection: Connection) -> None:
    insert = "insert into app.things (id, name) values (%s, %s)"
    run(connection, (insert, (1, "one")), (insert, (2, "two")))
    assert names(connection) == ["one", "two"]
    connection.rollback()
    assert names(connection) == []
    connection.rollback()
    connection.autocommit = True
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(connection, (insert, (1, "one")), (insert, (1, "again")), (insert, (3, "three")))
    assert names(connection) == []


def test_after_a_failure_the_connection_goes_on(connection: Connection) -> None:
    for wrong in ("select 1 / %s", "select from nothing where %s"):
        with pytest.raises(psycopg.Error):
            run(connection, ("select 1", ()), (wrong, (0,)))
        connection.rollback()
        assert run(connection, ("select 1 as one", ())) == [[(1,)]]
        connection.rollback()


def test_what_is_prepared_outlives_rollbacks(connection: Connection) -> None:
    for _ in range(3):
        for _ in range(6):
            # The driver prepares what it sees often, and lets go of it when a transaction is rolled back.
            connection.execute("select 2")
        assert run(connection, ("select 1 as one", ())) == [[(1,)]]
        connection.rollback()
    connection.autocommit = True
    told = run(connection, ("select statement from pg_prepared_statements", ()))[0]
    assert sum(statement == "select 1 as one" for (statement,) in told) == 1


def test_a_connection_keeps_the_statements_used_last(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_MOST", 3)
    connection.autocommit = True
    for number in (1, 2, 3, 1, 4, 5):
        assert run(connection, (f"select {number} as found", ())) == [[(number,)]]
    [told] = run(connection, ("select statement from pg_prepared_statements", ()))
    assert {statement for (statement,) in told} == {
        "select 4 as found", "select 5 as found", "select statement from pg_prepared_statements",
    }  # fmt: skip
