"""Random enterprises whose customers were merged, deleted, restricted and related; and what each way of
reading must show of them, found by asking each rule of each customer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any
from uuid import UUID

from customer.domain.customer import Company, Profile
from customer.store import queries
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from tests.customer.conftest import NOON
from tests.support.worlds import Record, World, tell, world

# The names of a world are like those of no other.
_NAMES = ["".join(letters) for letters in product("天地玄黄宇宙洪荒日月", repeat=4)]
_CUSTOMER = """
    insert into customers (id, version, kind, owner_id, company, source_channel, industry, province, city,
                           tags, collaborator_ids, deleted_at, created_at, updated_at, survivor_id,
                           restricted, name_tokens, match_keys)
    values (%(id)s, 1, 'company', %(owner_id)s, %(company)s::jsonb, '', '', '', '', '{}',
            %(collaborator_ids)s::uuid[], %(deleted_at)s, %(now)s, %(now)s, %(survivor_id)s,
            %(restricted)s, %(tokens)s::bigint[], %(keys)s::bigint[])
"""
_REST = """
    insert into customer_versions
        (customer_id, version, at, actor_id, action, changed_fields, profile, sealed)
    select id, 1, created_at, '', 'create', '{}',
           jsonb_build_object('owner_id', owner_id, 'tags', '[]'::jsonb, 'collaborator_ids', '[]'::jsonb,
                              'external_ids', '[]'::jsonb), null
    from customers;
    insert into match_keys select unnest(match_keys), id from customers;
    insert into interactions (id, customer_id, kind, channel, occurred_at, content, actor_id, created_at)
    select gen_random_uuid(), id, 'consultation', 'phone', created_at, '', '', created_at from customers
"""
_MERGE = """
    insert into merges (absorbed_id, survivor_id, undone, at, actor_id)
    values (%(absorbed)s, %(survivor)s, %(undone)s, %(now)s, '')
"""
_RELATE = """
    insert into relations (id, kind, from_id, to_id, role, is_primary, created_at)
    values (gen_random_uuid(), 'partner', %(one)s, %(other)s, '', false, %(now)s)
"""
_PAIR = """
    insert into duplicate_pairs (first_id, second_id, decision, score, reasons, state, found_at)
    values (%(one)s, %(other)s, 'possible', 11, '[]', 'open', %(now)s)
"""


@dataclass(frozen=True)
class Asking:
    """Who asks, and which permissions with which scopes; an officer sees what rests, too."""

    user: UUID
    scopes: dict[str, Scope | None]
    officer: bool


class Linked:
    """A world with two names for all its customers. Of those merged into another one it is the other, the
    root, that decides everything."""

    def __init__(self, chance: Random, number: int) -> None:
        self.world: World = world(chance)
        records = self.world.records
        self.names = (f"{_NAMES[number]}东", f"{_NAMES[number]}西")
        self.name_of = {record.id: chance.choice(self.names) for record in records}
        roots = [record for record in records if record is records[0] or chance.random() < 0.7]
        self.root_of = {r.id: r.id if r in roots else chance.choice(roots).id for r in records}
        self.roots = {record.id: record for record in roots}
        self.deleted = {record.id for record in roots if chance.random() < 0.12}
        self.restricted = {record.id for record in roots if chance.random() < 0.12}
        for record in records:
            # A customer has an owner, if only one whom nobody knows.
            record.owner_id = record.owner_id or UUID(int=chance.getrandbits(128), version=4)
        self.related = _couples(chance, records, 3)
        # Merged once and taken out again; and found alike.
        self.parted = _couples(chance, roots, 2)
        self.pairs = {(min(couple), max(couple)) for couple in _couples(chance, roots, 3)}

    @property
    def merges(self) -> list[tuple[UUID, UUID, bool]]:
        """(absorbed, survivor, undone)"""
        linked = [(one, root, False) for one, root in self.root_of.items() if one != root]
        return [(*couple, undone) for couple in sorted(self.parted) for undone in (False, True)] + linked

    def members(self, root: UUID) -> set[UUID]:
        return {one for one, its_root in self.root_of.items() if its_root == root}

    def reached(self, asking: Asking, permission: str) -> set[UUID]:
        """The roots in scope, whatever became of them."""
        scope = asking.scopes[permission]
        if scope is Scope.SELF:
            me = self.world.portal.get(asking.user)
            return {self.root_of[me.id]} if me else set()
        return self.world.reached(asking.user, scope) & self.roots.keys()

    def usable(self, asking: Asking, permission: str) -> set[UUID]:
        """Those of them whose data may be used."""
        return self.reached(asking, permission) - (set() if asking.officer else self.restricted)

    def shown(self, asking: Asking, permission: str = queries.READ) -> set[UUID]:
        return self.usable(asking, permission) - self.deleted

    def refusal(self, asking: Asking, one: UUID) -> str:
        """Why somebody who is not shown is refused."""
        root = self.root_of[one]
        rests = root in self.reached(asking, queries.READ) & self.restricted - self.deleted
        return "SubjectRestricted" if rests else "CustomerNotFound"

    def named(self, name: str) -> set[UUID]:
        """The roots of whom they, or one merged into them, has a name."""
        return {self.root_of[one] for one, its_name in self.name_of.items() if its_name == name}

    def related_to(self, asking: Asking, root: UUID) -> set[UUID]:
        ends = {(self.root_of[one], self.root_of[other]) for one, other in self.related}
        others = {b if a == root else a for a, b in ends if root in (a, b) and a != b}
        return others & self.shown(asking)

    def timeline(self, asking: Asking, root: UUID) -> list[tuple[Any, ...]]:
        """One interaction of each member, and the merges with those ends that the caller knows."""
        members, shown = self.members(root), self.shown(asking)

        def known(one: UUID) -> str | None:
            return str(one) if one in members or self.root_of[one] in shown else None

        return ordered(
            [("interaction", str(one)) for one in members]
            + [
                ("merge", known(absorbed), known(survivor), undone)
                for absorbed, survivor, undone in self.merges
                if {absorbed, survivor} & members
            ]
        )

    def alike(self, asking: Asking, name: str) -> set[tuple[UUID, bool, UUID | None]]:
        """Whom a check for duplicates of a name finds: (root, within reach, team of its owner)."""
        shown = self.shown(asking)
        return {
            (root, root in shown, self.world.team_of.get(self.roots[root].owner_id))  # type: ignore[arg-type]
            for root in self.named(name) - self.deleted - self.restricted
        }


def ordered(entries: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(entries, key=repr)


def populate(app: CustomerApp, chance: Random, numbers: Iterable[int]) -> list[Linked]:
    """Some random worlds, in the tables in place of what was there."""
    worlds = [Linked(chance, number) for number in numbers]
    with app.work(Principal.service("customer")) as work:
        connection = work.session.connection()
        connection.exec_driver_sql(
            "truncate staff, teams, customers, match_keys, merges, duplicate_pairs cascade"
        )
        tell(work.session, [one.world for one in worlds])
        rows = [row for one in worlds for row in _rows(app, one)]
        # Those merged into others refer to them.
        connection.exec_driver_sql(_CUSTOMER, sorted(rows, key=lambda row: row["survivor_id"] is not None))
        for statement in _REST.split(";"):
            connection.exec_driver_sql(statement)
        merges = [merge for one in worlds for merge in one.merges]
        connection.exec_driver_sql(
            _MERGE,
            [{"absorbed": a, "survivor": s, "undone": undone, "now": NOON} for a, s, undone in merges],
        )
        for sql, couples in ((_RELATE, "related"), (_PAIR, "pairs")):
            connection.exec_driver_sql(
                sql,
                [{"one": a, "other": b, "now": NOON} for one in worlds for a, b in getattr(one, couples)],
            )
    return worlds


def _rows(app: CustomerApp, one: Linked) -> Iterable[dict[str, Any]]:
    entries = {name: app.indexer.entry(Profile(Company(name))) for name in one.names}
    for record in one.world.records:
        name, root = one.name_of[record.id], one.root_of[record.id]
        yield {
            **vars(record),
            "company": json.dumps(Company(name).document()),
            "now": NOON,
            "deleted_at": NOON if record.id in one.deleted else None,
            "survivor_id": None if root == record.id else root,
            "restricted": root in one.restricted,
            "tokens": entries[name].name_tokens,
            "keys": entries[name].match_keys,
        }


def _couples(chance: Random, records: list[Record], most: int) -> set[tuple[UUID, UUID]]:
    """Up to so many of two each, no two of the same."""
    found: set[tuple[UUID, UUID]] = set()
    for _ in range(most if len(records) > 1 else 0):
        one, other = (record.id for record in chance.sample(records, 2))
        if (other, one) not in found:
            found.add((one, other))
    return found
