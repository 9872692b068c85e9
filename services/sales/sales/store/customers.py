"""Projection of the customer service: whose customer an order's customer is, and by whom it is read."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from sales.usecases.ports import CustomerRow

_APPLY = """
    insert into customers (customer_id, version, owner_id, collaborator_ids, deleted)
    values (%(customer_id)s, %(version)s, %(owner_id)s, %(collaborator_ids)s::uuid[], %(deleted)s)
    on conflict (customer_id) do update
    set version = excluded.version, owner_id = excluded.owner_id,
        collaborator_ids = excluded.collaborator_ids, deleted = excluded.deleted
    where customers.version < excluded.version
"""
# Links are told flattened: a survivor is never linked itself.
_LINK = """
    insert into links (customer_id, survivor_id, version)
    select * from unnest(%(ids)s::uuid[], %(survivors)s::uuid[], %(versions)s::int[])
    on conflict (customer_id) do update set survivor_id = excluded.survivor_id, version = excluded.version
    where links.version < excluded.version
"""


class CustomerProjection:
    def __init__(self, session: Session) -> None:
        self._session = session

    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""
        # Ids in order, so that handlers can't deadlock.
        rows = sorted(told, key=lambda row: (row.customer_id, row.version))
        if rows:
            params = [{**vars(row), "collaborator_ids": list(row.collaborator_ids)} for row in rows]
            self._session.connection().exec_driver_sql(_APPLY, params)

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""
        newest = {row[0]: row for row in sorted(told, key=lambda row: row[2])}
        rows = [newest[customer_id] for customer_id in sorted(newest)]
        if rows:
            ids, survivors, versions = (list(column) for column in zip(*rows, strict=True))
            arrays = {"ids": ids, "survivors": survivors, "versions": versions}
            self._session.connection().exec_driver_sql(_LINK, arrays)
