"""Every way of reading customers against brute force, over thousands of random enterprises."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from customer.domain.customer import Company, Profile
from customer.store import duplicate_queries, finding, queries, timeline
from customer.usecases.check_duplicates import check_duplicates
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from kernel.pure.text.tokens import query_tokens
from tests.customer.conftest import NOON
from tests.customer.store.linked_worlds import Asking, Linked, ordered, populate
from tests.support.worlds import SCOPES, acting

SEED = 20261123
BATCH, BATCHES = 100, 20
EXPORT, MERGE = "customer.customers.export", duplicate_queries.MERGE
PERMISSIONS = (queries.READ, queries.READ_PERSONAL, EXPORT, MERGE)
# More than any world has.
ENOUGH = 1_000


@pytest.fixture
def chance(app: CustomerApp) -> Iterator[Random]:
    yield Random(SEED)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams")


def answers(app: CustomerApp, principal: Principal, one: UUID, name: str) -> dict[str, Any]:
    """What each way of reading shows a principal: of one customer, of all, and of those of a name."""
    reader = app.reader
    key = app.indexer.entry(Profile(Company(name))).match_keys[0]
    words = app.indexer.name_question(query_tokens(name))
    get = queries.get_customer(reader, principal, one)
    then = queries.get_customer_as_of(reader, principal, one, NOON)
    classes = finding.count_classes(reader, principal, "rfm")
    pairs = duplicate_queries.list_pairs(reader, principal, "", None, ENOUGH)
    with app.work(principal) as work:
        alike = {(h.customer_id, h.within_reach, h.team_id) for h in check_duplicates(work, _company(name))}
    return {
        "get": get and (get.id, get.clear),
        "as of": then and (then.id, then.clear),
        "versions": bool(queries.list_versions(reader, principal, one, 2, 1)),
        "refusal": type(queries.refusal(reader, principal, queries.READ, one)).__name__ if not get else "",
        "timeline": _timeline(app, principal, one),
        "relations": _relations(app, principal, one, get.id if get else None),
        "list": _listed(app, principal, finding.listing("", "", False)),
        "list of deleted, too": _listed(app, principal, finding.listing("", "update_time", True)),
        "count": finding.count(reader, principal, finding.listing("", "", False)),
        "classes": sum(row.customers for row in classes),
        "search": _listed(app, principal, finding.named(words, "")),
        "search by key": _listed(app, principal, finding.keyed(key, "")),
        "export": _exported(app, principal),
        "pairs": {(row.first_id, row.second_id) for row in pairs},
        "duplicates": alike,
    }


def expected(linked: Linked, asking: Asking, one: UUID, name: str) -> dict[str, Any]:
    root = linked.root_of[one]
    shown, usable = linked.shown(asking), linked.usable(asking, queries.READ)
    clear = linked.usable(asking, queries.READ_PERSONAL)
    visible, named = root in shown, linked.named(name)
    merge = linked.shown(asking, MERGE)
    return {
        "get": (root, root in clear) if visible else None,
        "as of": (one, root in clear) if visible else None,
        "versions": visible,
        "refusal": "" if visible else linked.refusal(asking, one),
        "timeline": (root, linked.timeline(asking, root)) if visible else None,
        "relations": linked.related_to(asking, root) if visible else None,
        "list": {customer: customer in clear for customer in shown},
        "list of deleted, too": {customer: customer in clear for customer in usable},
        "count": len(shown),
        "classes": len(shown),
        "search": {customer: customer in clear for customer in shown & named},
        "search by key": {customer: customer in clear for customer in shown & named},
        "export": shown & linked.shown(asking, EXPORT),
        "pairs": {pair for pair in linked.pairs if {*pair} <= merge},
        "duplicates": linked.alike(asking, name),
    }


def _company(name: str) -> Profile:
    return Profile(Company(name))


def _listed(app: CustomerApp, principal: Principal, question: finding.Question) -> dict[UUID, bool]:
    rows, following = finding.page(app.reader, principal, question, None, ENOUGH)
    assert following is None
    return {row.id: row.clear for row in rows}


def _exported(app: CustomerApp, principal: Principal) -> set[UUID]:
    rows, _, following = app.exporting.page(principal, "", "", personal=False)
    assert following is None
    return {row.id for row in rows}


def _timeline(app: CustomerApp, principal: Principal, one: UUID) -> tuple[UUID, list[tuple[Any, ...]]] | None:
    page = timeline.list_timeline(app.reader, principal, one, None, ENOUGH, app.clock.zone)
    if page is None:
        return None
    told: list[tuple[Any, ...]] = []
    for row in page.rows:
        facts = row.facts
        if timeline.what(row) == "merge":
            told.append(("merge", facts["absorbed_id"], facts["survivor_id"], facts["undone"]))
        else:
            told.append((timeline.what(row), str(row.customer_id)))
    return page.customer_id, ordered(told)


def _relations(app: CustomerApp, principal: Principal, one: UUID, root: UUID | None) -> set[UUID] | None:
    rows = timeline.list_relations(app.reader, principal, one)
    if rows is None:
        return None
    return {row.to_id if row.from_id == root else row.from_id for row in rows}


def test_every_way_of_reading_reaches_what_brute_force_finds_in_2000_worlds(
    app: CustomerApp, chance: Random
) -> None:
    disagreed: list[Any] = []
    met: dict[str, int] = {}
    for batch in range(BATCHES):
        for linked in populate(app, chance, range(batch * BATCH, (batch + 1) * BATCH)):
            asking, principal = _somebody(linked, chance)
            one, name = chance.choice(linked.world.records).id, chance.choice(linked.names)
            wanted = expected(linked, asking, one, name)
            found = answers(app, principal, one, name)
            disagreed += [(asking, one, way) for way in wanted if found[way] != wanted[way]]
            for way, answer in wanted.items():
                met[way] = met.get(way, 0) + bool(answer)
    assert not disagreed
    # Each way had something to show, again and again.
    assert min(met.values()) > 100, met


def _somebody(linked: Linked, chance: Random) -> tuple[Asking, Principal]:
    narrow = [scope for scope in SCOPES if scope is not Scope.ALL]
    scopes = {permission: chance.choice(narrow) for permission in PERMISSIONS}
    asking = Asking(chance.choice(linked.world.users), scopes, officer=chance.random() < 0.2)
    granted = {**scopes, queries.READ_RESTRICTED: Scope.OWN if asking.officer else None}
    return asking, acting(linked.world, asking.user, granted)
