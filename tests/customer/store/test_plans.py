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

# A seller with one customer in 400, a key account manager with one in four, and 20,000 in all, in 400
# provinces; one in 200 has a class.
_FILL = """
    insert into customers (id, version, kind, owner_id, company, source_channel, industry, province, city,
                           tags, collaborator_ids, created_at, updated_at)
    select gen_random_uuid(), 1, 'company',
           case when mod(n, 400) = 0 then %(few)s when mod(n, 4) = 0 then %(many)s else gen_random_uuid() end,
           '{"name": "某某公司"}', '', '', 'province ' || mod(n, 400), '', '{}',
           case when mod(n, 1000) = 1 then array[%(few)s]::uuid[] else '{}' end, now(), now()
    from generate_series(1, 20000) n
"""
_CLASSIFY = """
    insert into classes (customer_id, scheme, class, version, scheme_version, since)
    select id, 'rfm', case when mod(n, 200) = 0 then 'potential' else 'other' end, 1, 1, now()
    from (select id, row_number() over (order by id) as n from customers) numbered
"""
# The seller is in a team; its manager has no customer.
_TEAM = """
    insert into staff (user_id, version, team_id) values (%(few)s, 1, %(team)s), (%(manager)s, 1, %(team)s)
"""


@pytest.fixture
def owners(app: CustomerApp) -> Iterator[dict[str, UUID]]:
    ids = {who: new_id() for who in ("few", "many", "manager", "team")}
    with app.engine.begin() as connection:
        for fill in (_FILL, _CLASSIFY, _TEAM):
            connection.exec_driver_sql(fill, ids)
    with psycopg.connect(app.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("vacuum analyze")
    yield ids
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate customers, staff cascade")
    with psycopg.connect(app.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("vacuum analyze customers")


def plan(app: CustomerApp, principal: Principal, filter_text: str = "") -> str:
    """How the database reads the first page of a principal's customers that fit a filter."""
    asked: list[tuple[str, Any]] = []

    class Asking:
        def rows(self, sql: str, params: Any) -> list[Any]:
            asked.append((sql, params))
            return []

    finding.page(Asking(), principal, finding.listing(filter_text, "", False), None, 50)  # type: ignore[arg-type]
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


@pytest.mark.parametrize("scope", [Scope.TEAM, Scope.SUBTREE])
def test_a_teams_customers_are_read_by_their_owners(
    app: CustomerApp, owners: dict[str, UUID], scope: Scope
) -> None:
    read = plan(app, Principal(PrincipalKind.USER, str(owners["manager"]), {queries.READ: scope}))
    assert "customers_by_owner" in read
    assert "Seq Scan on customers" not in read
    assert "Index Scan Backward using customers_pkey" not in read


@pytest.mark.parametrize(
    ("filter_text", "index"),
    [
        ('province == "province 7"', "customers_by_province"),
        ('class.rfm == "potential"', "classes_by_class_in_order"),
        ('class.rfm in ["potential", "high_value"]', "classes_by_class_in_order"),
    ],
)
def test_a_rare_property_is_read_from_its_index(
    app: CustomerApp, owners: dict[str, UUID], filter_text: str, index: str
) -> None:
    read = plan(app, Principal(PrincipalKind.USER, str(new_id()), {queries.READ: Scope.ALL}), filter_text)
    assert index in read
    assert "Seq Scan on customers" not in read
    assert "Index Scan Backward using customers_pkey" not in read


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
