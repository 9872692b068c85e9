"""Links between customers that are one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.events import MergedCustomer
from customer.domain.merging import Member
from customer.store.composing import keep_composed
from customer.store.queries import predicate
from kernel.pure.grants import Principal

# Merges come one after another, so that links never have to be thought of as changing at the same
# time. The number spells "merge".
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(469853431653)"
_GROUPS = """
    with roots as (
        select distinct coalesce(survivor_id, id) as id from customers where id = any(%(ids)s)
    )
    select id from roots
    union select c.id from customers c join roots on c.survivor_id = roots.id
"""
_MEMBERS = """
    select c.id, c.kind, c.survivor_id, (c.deleted_at is null and {reached}) as within_reach
    from customers c where c.id = any(%(ids)s)
"""
_DECISIONS = """
    select absorbed_id, survivor_id
    from (select distinct on (absorbed_id) absorbed_id, survivor_id, undone
          from merges where absorbed_id = any(%(ids)s) order by absorbed_id, id desc) as newest
    where not undone
"""
_DECIDE = """
    insert into merges (absorbed_id, survivor_id, undone, at, actor_id)
    select absorbed_id, %(survivor)s, %(undone)s, %(now)s, %(actor)s
    from unnest(%(absorbed)s::uuid[]) as absorbed (absorbed_id)
"""
_DECIDE_EACH = """
    insert into merges (absorbed_id, survivor_id, undone, at, actor_id)
    select absorbed_id, survivor_id, false, %(now)s, %(actor)s
    from unnest(%(absorbed)s::uuid[], %(survivors)s::uuid[]) as told (absorbed_id, survivor_id)
"""
_LINK = """
    with before as (select id, survivor_id from customers where id = any(%(ids)s))
    update customers c set survivor_id = told.survivor_id, link_version = c.link_version + 1
    from unnest(%(ids)s::uuid[], %(survivors)s::uuid[]) as told (id, survivor_id)
    where c.id = told.id
    returning c.id, c.survivor_id, c.link_version,
              (select before.survivor_id from before where before.id = c.id) as left_behind
"""


class MergeRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._connection = session.connection
        self._principal = principal
        self._now = now

    def alone(self) -> None:
        self._connection().exec_driver_sql(_ONE_AT_A_TIME)

    def groups(self, customer_ids: Collection[UUID]) -> list[UUID]:
        return list(self._connection().exec_driver_sql(_GROUPS, {"ids": list(customer_ids)}).scalars())

    def members(self, customer_ids: Collection[UUID], permission: str) -> dict[UUID, Member]:
        reached, params = predicate(self._principal, permission)
        found = self._connection().exec_driver_sql(
            _MEMBERS.format(reached=reached), {"ids": list(customer_ids), **params}
        )
        return {row["id"]: Member(**row) for row in found.mappings()}

    def decisions(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        found = self._connection().exec_driver_sql(_DECISIONS, {"ids": list(customer_ids)})
        return {row.absorbed_id: row.survivor_id for row in found}

    def decide(self, absorbed_ids: Collection[UUID], survivor_id: UUID, *, undone: bool = False) -> None:
        self._connection().exec_driver_sql(
            _DECIDE,
            {
                "absorbed": list(absorbed_ids),
                "survivor": survivor_id,
                "undone": undone,
                "now": self._now,
                "actor": self._principal.id,
            },
        )

    def decide_each(self, survivors: Mapping[UUID, UUID]) -> None:
        self._connection().exec_driver_sql(
            _DECIDE_EACH,
            {
                "absorbed": list(survivors),
                "survivors": list(survivors.values()),
                "now": self._now,
                "actor": self._principal.id,
            },
        )

    def link(self, survivors: Mapping[UUID, UUID | None]) -> list[MergedCustomer]:
        ids = sorted(survivors)
        rows = (
            self._connection()
            .exec_driver_sql(_LINK, {"ids": ids, "survivors": [survivors[i] for i in ids]})
            .all()
        )
        concerned = {i for row in rows for i in (row.id, row.survivor_id, row.left_behind) if i is not None}
        keep_composed(self._connection(), concerned)
        links = (MergedCustomer(row.id, row.survivor_id, row.link_version) for row in rows)
        return sorted(links, key=lambda link: link.absorbed_id)

    def renew(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(
            "update customers set version = version + 1, updated_at = %(now)s where id = any(%(ids)s)",
            {"ids": list(customer_ids), "now": self._now},
        )
