"""Lists come back from the database as they went there, whatever stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.sql.prepared import run
from tests.support import servers

ELEMENTS = {
    "uuid": st.uuids(),
    "bytea": st.binary(max_size=20),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["", "NULL", "{}", '"', "\\", ',"\\N']),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    with servers.database(ddl=()) as url, psycopg.connect(url, autocommit=True) as connected:
        yield connected


@pytest.mark.parametrize("kind", ELEMENTS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_list_comes_back_as_it_went(connection: psycopg.Connection[Any], kind: str, data: Any) -> None:
    sent = data.draw(st.lists(ELEMENTS[kind] | st.none(), max_size=6))
    [[row]] = run(connection, (f"select %s::{kind}[] as back", (sent,)))
    assert row.back == sent


def test_text_that_the_database_cannot_hold_is_refused(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.DataError):
        run(connection, ("select %s::text[]", (["a", "b\0c"],)))
