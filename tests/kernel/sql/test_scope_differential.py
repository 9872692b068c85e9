"""The scope predicate against brute force, over thousands of random enterprises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from kernel.pure.grants import ANONYMOUS, Principal, Scope
from kernel.sql import scope
from tests.support import servers
from tests.support.worlds import SCOPES, World, acting, tell, world

PERMISSION = "test.records.read"
SEED = 20261122
# Worlds that share the tables at a time: nobody may reach into another world either.
BATCH, BATCHES = 100, 21

Predicate = Callable[[Principal, str, str, str, str], tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with servers.database(("0001_kernel",)) as url:
        with psycopg.connect(url) as connection:
            connection.execute(
                "create table records (id uuid primary key, owner_id uuid, collaborator_ids uuid[] not null)"
            )
        yield url


class Tables:
    """The projections and records of some worlds, and questions to them."""

    def __init__(self, url: str, worlds: Sequence[World]) -> None:
        engine = create_engine(url.replace("postgresql", "postgresql+psycopg", 1))
        with Session(engine) as session:
            session.connection().exec_driver_sql("truncate staff, teams, records")
            tell(session, worlds)
            session.connection().exec_driver_sql(
                "insert into records values (%(id)s, %(owner_id)s, %(collaborator_ids)s::uuid[])",
                [vars(record) for one in worlds for record in one.records],
            )
            session.commit()
        engine.dispose()
        self._connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def answers(self, principal: Principal, predicate: Predicate, one: Any) -> tuple[set[Any], int, bool]:
        """What a list, a count, and a get of `one` say to a principal."""
        condition, params = predicate(
            principal, PERMISSION, "r.owner_id", "r.collaborator_ids", "r.id = %(scope_customer)s"
        )
        listed = self._ask(f"select r.id from records r where {condition}", params)
        [counted] = self._ask(f"select count(*) as n from records r where {condition}", params)
        got = self._ask(
            f"select r.id from records r where r.id = %(id)s and {condition}", {**params, "id": one}
        )
        return {row["id"] for row in listed}, int(counted["n"]), bool(got)

    def _ask(self, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        return self._connection.execute(sql.encode(), params, prepare=True).fetchall()


def disagreements(
    url: str, predicate: Predicate, batches: int, met: Counter[tuple[Scope | None, bool]]
) -> list[str]:
    """Where the predicate and the oracle disagree, over BATCH worlds a batch; counts what was met."""
    chance = Random(SEED)
    found = []
    for batch in range(batches):
        worlds = [world(chance) for _ in range(BATCH)]
        everything = [record.id for one in worlds for record in one.records]
        with Tables(url, worlds) as tables:
            for number, one in enumerate(worlds):
                user, how = chance.choice(one.users), chance.choice(SCOPES)
                wanted = set(everything) if how is Scope.ALL else one.reached(user, how)
                target = chance.choice(one.records).id
                met[how, bool(wanted)] += 1
                answers = tables.answers(acting(one, user, {PERMISSION: how}), predicate, target)
                if answers != (wanted, len(wanted), target in wanted):
                    found.append(f"batch {batch}, world {number}, {user} with {how}")
    return found


def test_list_count_and_get_reach_what_brute_force_finds_in_2100_worlds(database: str) -> None:
    met: Counter[tuple[Scope | None, bool]] = Counter()
    assert disagreements(database, scope.predicate, BATCHES, met) == []
    # Each scope was tried where it reaches something, and where it reaches nothing.
    for how in (Scope.SELF, Scope.OWN, Scope.TEAM, Scope.SUBTREE):
        assert min(met[how, True], met[how, False]) > 50
    assert min(met[None, False], met[Scope.ALL, True]) > 50


def forgets_collaborators(
    principal: Principal, permission: str, owner: str, collaborators: str, own: str
) -> tuple[str, dict[str, Any]]:
    return scope.predicate(principal, permission, owner, own=own)


def stops_at_the_team(
    principal: Principal, permission: str, owner: str, collaborators: str, own: str
) -> tuple[str, dict[str, Any]]:
    held = principal.scope_of(permission)
    narrowed = {} if held is None else {permission: min(held, Scope.TEAM) if held < Scope.ALL else held}
    return scope.predicate(
        Principal(principal.kind, principal.id, narrowed), permission, owner, collaborators, own
    )


def reaches_other_teams(
    principal: Principal, permission: str, owner: str, collaborators: str, own: str
) -> tuple[str, dict[str, Any]]:
    condition, params = scope.predicate(principal, permission, owner, collaborators, own)
    return condition.replace("t.path @>", "t.path && t.path and array[t.team_id] <>"), params


def takes_the_portal_for_its_team(
    principal: Principal, permission: str, owner: str, collaborators: str, own: str
) -> tuple[str, dict[str, Any]]:
    held = principal.scope_of(permission)
    widened = Scope.TEAM if held is Scope.SELF else held
    grants = {} if widened is None else {permission: widened}
    return scope.predicate(
        Principal(principal.kind, principal.id, grants), permission, owner, collaborators, own
    )


FAULTS = [forgets_collaborators, stops_at_the_team, reaches_other_teams, takes_the_portal_for_its_team]


@pytest.mark.parametrize("wrong", FAULTS)
def test_the_comparison_finds_a_planted_fault(database: str, wrong: Predicate) -> None:
    assert disagreements(database, wrong, 1, Counter())


def test_strangers_reach_nothing_and_the_service_itself_everything(database: str) -> None:
    worlds = [world(Random(1))]
    records = {record.id for record in worlds[0].records}
    with Tables(database, worlds) as tables:
        one = worlds[0].records[0].id
        assert tables.answers(ANONYMOUS, scope.predicate, one) == (set(), 0, False)
        service = Principal.service("test")
        assert tables.answers(service, scope.predicate, one) == (records, len(records), True)
