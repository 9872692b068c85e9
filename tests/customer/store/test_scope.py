"""Get, list, count and history of customers against brute force, over thousands of random enterprises."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from customer.store import finding, queries
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from tests.customer.conftest import NOON
from tests.support.worlds import SCOPES, World, acting, tell, world

SEED = 20261123
BATCH, BATCHES = 100, 20
_CUSTOMER = """
    insert into customers (id, version, kind, owner_id, company, source_channel, industry, province, city,
                           tags, collaborator_ids, deleted_at, created_at, updated_at)
    values (%(id)s, 1, 'company', %(owner_id)s, '{"name": "某某公司"}', '', '', '', '', '{}',
            %(collaborator_ids)s::uuid[], %(deleted_at)s, %(now)s, %(now)s)
"""
_VERSION = """
    insert into customer_versions
        (customer_id, version, at, actor_id, action, changed_fields, profile, sealed)
    select id, 1, created_at, '', 'create', '{}',
           jsonb_build_object('owner_id', owner_id, 'tags', '[]'::jsonb, 'collaborator_ids', '[]'::jsonb,
                              'external_ids', '[]'::jsonb), null
    from customers
"""


@pytest.fixture
def chance(app: CustomerApp) -> Iterator[Random]:
    yield Random(SEED)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams")


def populate(app: CustomerApp, chance: Random) -> tuple[list[World], set[UUID]]:
    """Some random worlds in the tables, and which of their customers are deleted."""
    worlds = [world(chance) for _ in range(BATCH)]
    records = [record for one in worlds for record in one.records]
    for record in records:
        # A customer has an owner, if only one whom nobody knows.
        record.owner_id = record.owner_id or UUID(int=chance.getrandbits(128), version=4)
    deleted = {record.id for record in records if chance.random() < 0.1}
    with app.work(Principal.service("customer")) as work:
        connection = work.session.connection()
        connection.exec_driver_sql("truncate staff, teams, customers cascade")
        tell(work.session, worlds)
        rows = [{**vars(r), "now": NOON, "deleted_at": NOON if r.id in deleted else None} for r in records]
        connection.exec_driver_sql(_CUSTOMER, rows)
        connection.exec_driver_sql(_VERSION)
    return worlds, deleted


def answers(app: CustomerApp, principal: Principal, one: UUID) -> dict[str, Any]:
    """What each way of reading shows a principal: ids, with whether they are shown clear."""
    rows, following = finding.page(app.reader, principal, finding.listing("", "", False), None, 1_000)
    assert following is None
    got = queries.get_customer(app.reader, principal, one)
    then = queries.get_customer_as_of(app.reader, principal, one, NOON)
    return {
        "list": {row.id: row.clear for row in rows},
        "count": finding.count(app.reader, principal, finding.listing("", "", False)),
        "get": got and got.clear,
        "as of": then and then.clear,
        "versions": bool(queries.list_versions(app.reader, principal, one, 2, 1)),
    }


def expected(
    one: World, user: UUID, read: Scope | None, personal: Scope | None, gone: set[UUID], target: UUID
) -> dict[str, Any]:
    clear = one.reached(user, personal)
    shown = {customer_id: customer_id in clear for customer_id in one.reached(user, read) - gone}
    return {
        "list": shown,
        "count": len(shown),
        "get": shown.get(target),
        "as of": shown.get(target),
        "versions": target in shown,
    }


def test_every_way_of_reading_reaches_what_brute_force_finds_in_2000_worlds(
    app: CustomerApp, chance: Random
) -> None:
    disagreed, met = [], 0
    for _ in range(BATCHES):
        worlds, deleted = populate(app, chance)
        for one in worlds:
            user = chance.choice(one.users)
            read, personal = (
                chance.choice([how for how in SCOPES if how is not Scope.ALL]) for _ in range(2)
            )
            target = chance.choice(one.records).id
            principal = acting(one, user, {queries.READ: read, queries.READ_PERSONAL: personal})
            wanted = expected(one, user, read, personal, deleted, target)
            met += bool(wanted["list"])
            if answers(app, principal, target) != wanted:
                disagreed.append((user, read, personal, target))
    assert not disagreed
    assert met > 300
