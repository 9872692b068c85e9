"""Scans for duplicates: how far each has come, and whom it looks at next."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.duplicates import Scan
from customer.domain.errors import ScanNotFound
from customer.store.queries import predicate
from kernel.pure.grants import Principal

_ADD = """
    insert into duplicate_scans (id, state, merge, principal, customers_total, created_at)
    values (%(id)s, %(state)s, %(merge)s, %(principal)s::jsonb, %(customers_total)s, %(now)s)
"""
_LEND = """
    select id, state, merge, principal, after_id, customers_seen, customers_total, pairs_same, pairs_possible,
           merged, created_at
    from duplicate_scans where id = %(id)s for update
"""
_SAVE = """
    update duplicate_scans
    set state = %(state)s, after_id = %(after_id)s, customers_seen = %(customers_seen)s,
        pairs_same = %(pairs_same)s, pairs_possible = %(pairs_possible)s, merged = %(merged)s,
        ended_at = case when %(state)s in ('done', 'failed') then %(now)s end
    where id = %(id)s
"""
# Those merged already are looked at too: what is known of them speaks for their survivors.
_LOOKED_AT = """
    from customers c join customers s on s.id = coalesce(c.survivor_id, c.id)
    where s.deleted_at is null and {reached}
"""
_COUNT = f"select count(*) {_LOOKED_AT}"
_NEXT = f"""
    select c.id {_LOOKED_AT}
      and c.id > coalesce(%(after)s, '00000000-0000-0000-0000-000000000000'::uuid)
    order by c.id limit %(limit)s
"""


class ScanRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._connection = session.connection
        self._principal = principal
        self._now = now

    def add(self, scan: Scan) -> None:
        params = {
            "id": scan.id,
            "state": scan.state,
            "merge": scan.merge,
            "principal": json.dumps(scan.principal.document()),
            "customers_total": scan.customers_total,
            "now": self._now,
        }
        self._connection().exec_driver_sql(_ADD, params)

    def lend(self, scan_id: UUID) -> tuple[Scan, datetime]:
        row = self._connection().exec_driver_sql(_LEND, {"id": scan_id}).mappings().first()
        if row is None:
            raise ScanNotFound(id=scan_id)
        known = dict(row)
        created_at = known.pop("created_at")
        return Scan(**{**known, "principal": Principal.of(known["principal"])}), created_at

    def save(self, scan: Scan) -> None:
        known = {name: value for name, value in vars(scan).items() if name != "principal"}
        self._connection().exec_driver_sql(_SAVE, {**known, "now": self._now})

    def count(self, permission: str) -> int:
        reached, params = predicate(self._principal, permission, "s")
        found = self._connection().exec_driver_sql(_COUNT.format(reached=reached), params)
        return int(found.scalar_one())

    def following(self, after: UUID | None, limit: int, permission: str) -> list[UUID]:
        reached, params = predicate(self._principal, permission, "s")
        wanted = {**params, "after": after, "limit": limit}
        found = self._connection().exec_driver_sql(_NEXT.format(reached=reached), wanted)
        return list(found.scalars())

    def disabled(self) -> bool:
        sql = "select disabled from staff where user_id = %(id)s"
        found = self._connection().exec_driver_sql(sql, {"id": self._principal.user_id}).scalar()
        return bool(found)
