"""Customers that share a blind key with others, opened to be compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer import metrics
from customer.domain.customer import Company, Person, Profile
from customer.domain.duplicates import LARGEST_BLOCK, Candidate, Party, keys_of
from customer.store.indexing import Indexer
from customer.store.queries import SEALED_IN, predicate
from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.uow import OpenReader

# Imports and those who record one customer after another exclude each other. The number spells "impt".
_TOGETHER = "select pg_advisory_xact_lock_shared(1768779892)"
_ALONE = "select pg_advisory_xact_lock(1768779892)"
# In one order, so that two who bring some of the same keys never wait for each other in a circle. A lock
# stands for many keys, so that thousands do not fill the database's table of locks; "mkey" as a number.
_HOLD_KEYS = """
    select pg_advisory_xact_lock(1835754873, bucket)
    from (select distinct (unnest(%(keys)s::bigint[]) & 1023)::int as bucket order by 1) as held
"""
# One more than a block may hold tells that it is too large.
_SHARING = """
    select wanted.place::int4 - 1 as place, found.customer_id
    from unnest(%(keys)s::bigint[]) with ordinality as wanted (key, place)
    cross join lateral (select m.customer_id from match_keys m where m.key = wanted.key limit %(most)s) found
"""
_BLOCKS = """
    select array_agg(found.customer_id) as block
    from (select distinct unnest(match_keys) as key from customers where id = any(%(ids)s)) as wanted
    cross join lateral (select m.customer_id from match_keys m where m.key = wanted.key limit %(most)s) found
    group by wanted.key having count(*) > 1
"""
_CANDIDATES = """
    select c.id, s.id as root, c.kind, c.sealed, c.company, c.province, c.city,
           {reached} as within_reach, staff.team_id
    from customers c join customers s on s.id = coalesce(c.survivor_id, c.id)
    left join staff on staff.user_id = s.owner_id
    where c.id = any(%(ids)s) and s.deleted_at is null and not s.restricted
"""
_MEMBERS = "select id from customers where id = any(%(ids)s) or survivor_id = any(%(ids)s) order by id"


class MatchRepository:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, indexer: Indexer) -> None:
        self._connection = session.connection
        self._statements = OpenReader(session)
        self._principal = principal
        self._sealer = sealer
        self._indexer = indexer

    def hold(self, asked: Sequence[Party]) -> None:
        keys = [key for party in asked for key in self._indexer.strongest_keys(keys_of(party))]
        self._statements.run((_TOGETHER, ()), (_HOLD_KEYS, {"keys": keys}))

    def alone(self) -> None:
        self._connection().exec_driver_sql(_ALONE)

    def candidates(self, asked: Sequence[Party], permission: str) -> list[list[Candidate]]:
        keys: list[int] = []
        askers: list[int] = []
        for place, party in enumerate(asked):
            own = self._keys(party)
            keys += own
            askers += [place] * len(own)
        params = {"keys": keys, "most": LARGEST_BLOCK + 1}
        blocks: dict[int, list[UUID]] = {}
        for row in self._statements.rows(_SHARING, params) if keys else ():
            blocks.setdefault(row.place, []).append(row.customer_id)
        found: list[set[UUID]] = [set() for _ in asked]
        for place, block in blocks.items():
            if _selective(block):
                found[askers[place]].update(block)
        known_ones = self.load(set().union(*found), permission)
        return [
            [
                known_ones[i]
                for i in sorted(ids)
                if i in known_ones and known_ones[i].party.profile.kind == party.profile.kind
            ]
            for party, ids in zip(asked, found, strict=True)
        ]

    def couples(self, customer_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
        params = {"ids": list(customer_ids), "most": LARGEST_BLOCK + 1}
        looked_at = set(customer_ids)
        found: set[tuple[UUID, UUID]] = set()
        for row in self._connection().exec_driver_sql(_BLOCKS, params):
            if _selective(row.block):
                found.update((one, other) for one in row.block if one in looked_at for other in row.block)
        return {(one, other) for one, other in found if other < one}

    def load(self, customer_ids: Collection[UUID], *permissions: str) -> dict[UUID, Candidate]:
        if not customer_ids:
            return {}
        scopes = [predicate(self._principal, permission, "s") for permission in permissions]
        # Parameters of one name say the same: who asks.
        params = {name: value for _, own in scopes for name, value in own.items()}
        sql = _CANDIDATES.format(reached=" and ".join(reached for reached, _ in scopes))
        rows = self._statements.rows(sql, {"ids": list(customer_ids), **params})
        documents = self._sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in rows])
        return {
            row.id: Candidate(Party(row.id, _profile(row, document)), row.root, row.within_reach, row.team_id)
            for row, document in zip(rows, documents, strict=True)
            if document is not None or row.company is not None
        }

    def groups(self, roots: Collection[UUID], *permissions: str) -> dict[UUID, list[Candidate]]:
        ids = list(self._connection().exec_driver_sql(_MEMBERS, {"ids": list(roots)}).scalars())
        found: dict[UUID, list[Candidate]] = {}
        for candidate in self.load(ids, *permissions).values():
            found.setdefault(candidate.root, []).append(candidate)
        return found

    def _keys(self, party: Party) -> list[int]:
        known = None if isinstance(party.profile.details, Company) else party.traits
        return self._indexer.entry(party.profile, known).match_keys


def _selective(block: Sequence[UUID]) -> bool:
    if len(block) <= LARGEST_BLOCK:
        return True
    metrics.match_keys_capped.inc()
    return False


def _profile(row: Any, document: dict[str, Any] | None) -> Profile:
    details = Company.of(row.company) if document is None else Person.of(document)
    return Profile(details, province=row.province, city=row.city)
