"""Links between customers that are one, and reading through them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.events import MergedCustomer
from customer.domain.merging import Member, composed
from customer.store.queries import SEALED_IN, predicate
from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

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
_LINK = """
    update customers c set survivor_id = told.survivor_id, link_version = c.link_version + 1
    from unnest(%(ids)s::uuid[], %(survivors)s::uuid[]) as told (id, survivor_id)
    where c.id = told.id
    returning c.id, c.survivor_id, c.link_version
"""
_ABSORBED = """
    select c.survivor_id, c.id, c.sealed, c.company, c.source_channel, c.industry, c.province, c.city, c.tags,
           array(select array[e.source, e.value] from external_ids e where e.customer_id = c.id
                 order by e.source, e.value) as external_ids
    from customers c where c.survivor_id = any(%(ids)s) order by c.id
"""
# Besides the document of a person or company, these are shown of the absorbed ones too.
_SHOWN = ("source_channel", "industry", "province", "city", "tags", "external_ids")


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

    def link(self, survivors: Mapping[UUID, UUID | None]) -> list[MergedCustomer]:
        ids = sorted(survivors)
        rows = self._connection().exec_driver_sql(
            _LINK, {"ids": ids, "survivors": [survivors[i] for i in ids]}
        )
        return sorted((MergedCustomer(*row) for row in rows), key=lambda link: link.absorbed_id)

    def renew(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(
            "update customers set version = version + 1, updated_at = %(now)s where id = any(%(ids)s)",
            {"ids": list(customer_ids), "now": self._now},
        )


def compose(
    reader: Reader, sealer: Sealer, rows: Sequence[Any], documents: Sequence[dict[str, Any] | None]
) -> tuple[list[Any], list[dict[str, Any] | None]]:
    """Rows of survivors and their personal documents, with what those that they absorbed know.

    `rows` are named tuples with id, company and what a customer shows in clear; a document is None
    for a company, for a person whose key is gone, or where none is wanted: it stays None.
    """
    absorbed = reader.rows(_ABSORBED, {"ids": [row.id for row in rows]}) if rows else []
    if not absorbed:
        return list(rows), list(documents)
    wanted = {row.id for row, document in zip(rows, documents, strict=True) if document is not None}
    opened = sealer.open_page(
        SEALED_IN, [(r.id, r.id, r.sealed if r.survivor_id in wanted else None) for r in absorbed]
    )
    parts: dict[UUID, list[tuple[Any, dict[str, Any] | None]]] = {}
    for row, document in zip(absorbed, opened, strict=True):
        parts.setdefault(row.survivor_id, []).append((row, document))
    pairs = [
        _composed(row, document, parts.get(row.id, ())) for row, document in zip(rows, documents, strict=True)
    ]
    return [row for row, _ in pairs], [document for _, document in pairs]


def _composed(
    row: Any, document: dict[str, Any] | None, parts: Sequence[tuple[Any, dict[str, Any] | None]]
) -> tuple[Any, dict[str, Any] | None]:
    if not parts:
        return row, document
    members = [row, *(part for part, _ in parts)]
    shown = composed([{name: getattr(member, name) for name in _SHOWN} for member in members])
    if row.company is not None:
        shown["company"] = composed([member.company for member in members])
    if document is not None:
        document = composed([document, *(known for _, known in parts if known is not None)])
    return row._replace(**shown), document
