"""Pairs of customers that may be one, until somebody decides."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.duplicates import Pair
from customer.domain.errors import PairNotFound
from customer.domain.matching import Reason
from customer.store.queries import predicate
from kernel.pure.grants import Principal

# What was found before `since` is judged anew; what was found after, by the best that agrees.
_PUT = """
    insert into duplicate_pairs as held (first_id, second_id, decision, score, reasons, state, found_at)
    select *, 'open', %(now)s
    from unnest(%(firsts)s::uuid[], %(seconds)s::uuid[], %(decisions)s::text[], %(scores)s::float8[],
                %(reasons)s::jsonb[])
    on conflict (first_id, second_id) do update
    set decision = excluded.decision, score = excluded.score, reasons = excluded.reasons,
        found_at = excluded.found_at
    where held.state = 'open' and (held.found_at < %(since)s or held.score < excluded.score)
"""
_MERGED = """
    update duplicate_pairs set state = 'merged'
    where first_id = any(%(ids)s) and second_id = any(%(ids)s) and state <> 'merged'
"""
_PART = """
    insert into duplicate_pairs as held (first_id, second_id, decision, score, reasons, state, found_at)
    select least(one, other), greatest(one, other), 'possible', 0, '[]', 'dismissed', %(now)s
    from unnest(%(ones)s::uuid[]) as one cross join unnest(%(others)s::uuid[]) as other
    on conflict (first_id, second_id) do update set state = 'dismissed'
"""
_DISMISS = """
    update duplicate_pairs p set state = 'dismissed'
    where p.first_id = least(%(one)s, %(other)s) and p.second_id = greatest(%(one)s, %(other)s)
      and p.state <> 'merged' and 2 = (
        select count(*) from customers c
        where c.id in (p.first_id, p.second_id) and c.survivor_id is null and c.deleted_at is null
          and {reached})
    returning first_id, second_id, decision, score, reasons
"""
_SURE = """
    select p.first_id, p.second_id, p.score from duplicate_pairs p
    where p.state = 'open' and p.decision = 'same' and 2 = (
        select count(*) from customers c
        where c.id in (p.first_id, p.second_id) and c.survivor_id is null and c.deleted_at is null
          and {reached})
    order by p.score desc, p.first_id, p.second_id
"""


class PairRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._connection = session.connection
        self._principal = principal
        self._now = now

    def put(self, pairs: Sequence[Pair], since: datetime) -> None:
        if not pairs:
            return
        params = {
            "firsts": [pair.first_id for pair in pairs],
            "seconds": [pair.second_id for pair in pairs],
            "decisions": [pair.decision for pair in pairs],
            "scores": [pair.score for pair in pairs],
            "reasons": [json.dumps([reason._asdict() for reason in pair.reasons]) for pair in pairs],
            "now": self._now,
            "since": since,
        }
        self._connection().exec_driver_sql(_PUT, params)

    def merged(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(_MERGED, {"ids": list(customer_ids)})

    def part(self, ones: Collection[UUID], others: Collection[UUID]) -> None:
        params = {"ones": sorted(ones), "others": sorted(others), "now": self._now}
        self._connection().exec_driver_sql(_PART, params)

    def dismiss(self, one: UUID, other: UUID, permission: str) -> Pair:
        row = self._reached(_DISMISS, permission, {"one": one, "other": other}).first()
        if row is None:
            raise PairNotFound(first_id=one, second_id=other)
        reasons = tuple(Reason(**reason) for reason in row.reasons)
        return Pair(row.first_id, row.second_id, row.decision, row.score, reasons)

    def sure(self, permission: str) -> list[tuple[UUID, UUID, float]]:
        return [tuple(row) for row in self._reached(_SURE, permission, {})]

    def _reached(self, sql: str, permission: str, params: dict[str, Any]) -> Any:
        reached, more = predicate(self._principal, permission)
        return self._connection().exec_driver_sql(sql.format(reached=reached), {**params, **more})
