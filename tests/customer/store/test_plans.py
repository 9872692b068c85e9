"""A page of customers costs a page, however many customers there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from customer.store import copying, finding, queries, staging
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id

# A seller with one customer in 400, a key account manager with one in four, and 20,000 in all.
_FILL = """
    insert into customers (id, version, kind, owner_id, company, source_channel, industry, province, city,
                           tags, collaborator_ids, created_at, updated_at)
    select gen_random_uuid(), 1, 'company',
           case when mod(n, 400) = 0 then %(few)s when mod(n, 4) = 0 then %(many)s else gen_random_uuid() end,
           '{"name": "某某公司"}', '', '', '', '', '{}',
           case when mod(n, 1000) = 1 then array[%(few)s]::uuid[] else '{}' end, now(), now()
    from generate_series(1, 20000) n
"""


@pytest.fixture
def owners(app: CustomerApp) -> Iterator[dict[str, UUID]]:
    ids = {"few": new_id(), "many": new_id()}
    with app.engine.begin() as connection:
        connection.exec_driver_sql(_FILL, ids)
    with psycopg.connect(app.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("vacuum analyze customers")
    yield ids
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate customers cascade")
    with psycopg.connect(app.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("vacuum analyze customers")


def plan(app: CustomerApp, principal: Principal) -> str:
    """How the database reads the first page of a principal's customers."""
    asked: list[tuple[str, Any]] = []

    class Asking:
        def rows(self, sql: str, params: Any) -> list[Any]:
            asked.append((sql, params))
            return []

    finding.page(Asking(), principal, finding.listing("", "", False), None, 50)  # type: ignore[arg-type]
    [(sql, params)] = asked
    with app.engine.connect() as connection:
        return "\n".join(row[0] for row in connection.exec_driver_sql("explain " + sql, params))


@pytest.mark.parametrize("who", ["few", "many"])
def test_own_customers_are_read_from_their_indexes_in_order(
    app: CustomerApp, owners: dict[str, UUID], who: str
) -> None:
    grants = {queries.READ: Scope.OWN, queries.READ_PERSONAL: Scope.OWN}
    read = plan(app, Principal(PrincipalKind.USER, str(owners[who]), grants))
    assert "customers_by_owner" in read
    assert "customers_by_collaborator" in read
    assert "Seq Scan on customers" not in read
    assert "Index Scan Backward using customers_pkey" not in read


def test_everybodys_customers_are_read_in_order_of_their_ids(
    app: CustomerApp, owners: dict[str, UUID]
) -> None:
    read = plan(app, Principal(PrincipalKind.USER, str(new_id()), {queries.READ: Scope.ALL}))
    assert "Index Scan Backward using customers_pkey" in read
    assert "Seq Scan on customers" not in read


@pytest.fixture
def keyed(app: CustomerApp) -> Iterator[None]:
    """Inside, there are 50,000 match keys."""
    fill = "insert into match_keys select n::int8 << 40, gen_random_uuid() from generate_series(1, 50000) n"
    with psycopg.connect(app.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(fill)
        connection.execute("vacuum analyze match_keys")
        yield
        connection.execute("truncate match_keys")
        connection.execute("vacuum analyze match_keys")


@pytest.mark.usefixtures("keyed")
def test_the_candidates_of_an_import_are_looked_up_key_by_key_in_the_index(app: CustomerApp) -> None:
    """Any other plan costs ten times as much, and more with every customer there is."""
    keys = copying.Numbers(copying.numbers([number << 40 for number in range(40_000)]))
    with psycopg.connect(app.settings.database_url.get_secret_value()) as connection:
        read = connection.execute(f"explain {staging.CANDIDATES}", {"keys": keys, "most": 101}).fetchall()
    plan = "\n".join(line for (line,) in read)
    assert plan.startswith("Nested Loop")
    assert "using match_keys_by_key on match_keys" in plan
    assert "Seq Scan" not in plan
    assert "Hash" not in plan
