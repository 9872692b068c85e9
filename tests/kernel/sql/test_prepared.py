"""Prepared statements live as long as their connection, whatever its transactions come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kernel.sql.prepared import run
from tests.support import servers

# psycopg's cursors prepare a statement after they were given it so often.
OFTEN = 7
KNOWN = "select name from pg_prepared_statements order by name"


@pytest.fixture
def connection() -> Iterator[psycopg.Connection[Any]]:
    with servers.database(ddl=()) as url:
        opened = psycopg.connect(url.replace("+psycopg", ""))
        with opened:
            yield opened


def asked_often(connection: psycopg.Connection[Any]) -> None:
    for _ in range(OFTEN):
        connection.execute("select 1")


def test_a_statement_outlives_a_rollback(connection: psycopg.Connection[Any]) -> None:
    assert run(connection, ("select %s::int as n", [1])) == [[(1,)]]
    asked_often(connection)
    connection.rollback()
    assert run(connection, ("select %s::int as n", [2])) == [[(2,)]]


def test_a_statement_outlives_a_savepoint(connection: psycopg.Connection[Any]) -> None:
    assert run(connection, ("select %s::int as n", [1])) == [[(1,)]]
    asked_often(connection)
    connection.execute("savepoint here")
    connection.execute("rollback to savepoint here")
    asked_often(connection)
    assert run(connection, ("select %s::int as n", [2])) == [[(2,)]]


def test_what_cursors_prepared_is_forgotten_with_a_rollback(connection: psycopg.Connection[Any]) -> None:
    run(connection, ("select 2", ()))
    asked_often(connection)
    before = connection.execute(KNOWN).fetchall()
    connection.rollback()
    after = connection.execute(KNOWN).fetchall()
    assert [name for (name,) in before] == ["_pg3_0", "crm_0"]
    assert [name for (name,) in after] == ["crm_0"]
