"""Relations between customers. They keep the ids they were made under and are read through merges."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.relation import CONTACT, Relation

_FIND = """
    select r.id, r.kind, coalesce(f.survivor_id, f.id) as from_id, coalesce(t.survivor_id, t.id) as to_id,
           r.role, r.is_primary as primary
    from relations r join customers f on f.id = r.from_id join customers t on t.id = r.to_id
    where r.id = %(id)s
"""
_BETWEEN = """
    with members as (
        select id, coalesce(survivor_id, id) as root from customers
        where id = any(%(ends)s) or survivor_id = any(%(ends)s)
    )
    select r.id from members f join relations r on r.from_id = f.id join members t on t.id = r.to_id
    where r.kind = %(kind)s and f.root <> t.root order by r.id
"""
_ADD = """
    insert into relations (id, kind, from_id, to_id, role, is_primary, created_at)
    values (%(id)s, %(kind)s, %(from_id)s, %(to_id)s, %(role)s, %(primary)s, %(now)s)
"""
_DEMOTE = """
    update relations set is_primary = false
    where to_id = %(company)s and kind = %(contact)s and is_primary returning id
"""


class RelationRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._connection = session.connection
        self._now = now

    def find(self, relation_id: UUID) -> Relation | None:
        row = self._connection().exec_driver_sql(_FIND, {"id": relation_id}).mappings().first()
        return Relation(**row) if row else None

    def between(self, kind: str, one: UUID, other: UUID) -> list[UUID]:
        params = {"kind": kind, "ends": [one, other]}
        return list(self._connection().exec_driver_sql(_BETWEEN, params).scalars())

    def add(self, relation: Relation) -> None:
        params = {
            "id": relation.id,
            "kind": relation.kind,
            "from_id": relation.from_id,
            "to_id": relation.to_id,
            "role": relation.role,
            "primary": relation.primary,
            "now": self._now,
        }
        self._connection().exec_driver_sql(_ADD, params)

    def demote(self, company_id: UUID) -> list[UUID]:
        params = {"company": company_id, "contact": CONTACT}
        return list(self._connection().exec_driver_sql(_DEMOTE, params).scalars())

    def remove(self, relation_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(
            "delete from relations where id = any(%(ids)s)", {"ids": list(relation_ids)}
        )
