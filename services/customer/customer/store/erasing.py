"""Resting and erasing: what a person's rows are when their data must not be used, or is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.customer import NOBODY
from customer.domain.events import RecordedCustomer

# After what the kernel holds, which knows the newest of what was told.
_REST = """
    update customers c set restricted = r.restricted
    from restricted_subjects r
    where r.subject_id = c.id and c.restricted <> r.restricted
      and c.erased_at is null
      and c.id in (select id from customers where id = any(%(ids)s) order by id for no key update)
"""
_HOLD = "select id from customers where id = any(%(ids)s) order by id for update"
_KEYS = """
    delete from match_keys m
    using (select id, unnest(match_keys) as key from customers where id = any(%(ids)s)) as own
    where m.key = own.key and m.customer_id = own.id
"""
# By the table whose rows a receipt counts.
_ERASE = {
    "match_keys": _KEYS,
    "external_ids": "delete from external_ids where customer_id = any(%(ids)s)",
    "customer_versions": "delete from customer_versions where customer_id = any(%(ids)s)",
    "interactions": "delete from interactions where customer_id = any(%(ids)s)",
    "tickets": "delete from tickets where customer_id = any(%(ids)s)",
    "relations": "delete from relations where from_id = any(%(ids)s) or to_id = any(%(ids)s)",
    "duplicate_pairs": """
        delete from duplicate_pairs where first_id = any(%(ids)s) or second_id = any(%(ids)s)
    """,
    "import_rows": "delete from import_rows where customer_id = any(%(ids)s)",
}
# Classes and their changes, orders, merges and memberships stay: facts about nobody, so that sums add up.
_SHELL = """
    update customers
    set version = version + 1, sealed = null, company = null, initial = default, name_tokens = '{}',
        match_keys = '{}', tags = '{}', city = '', composed_source_channel = null, composed_industry = null,
        composed_province = null, composed_city = null, composed_tags = null, collaborator_ids = '{}',
        erased_at = %(now)s,
        deleted_at = coalesce(deleted_at, %(now)s), restricted = false, updated_at = %(now)s
    where id = any(%(ids)s) and erased_at is null and kind = 'person'
    returning id as customer_id, version, kind, owner_id, source_channel, industry, province, city
"""
_PEOPLE = "select id from customers where id = any(%(ids)s) and kind = 'person'"


class ErasingRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._connection = session.connection
        self._now = now

    def rest(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(_REST, {"ids": list(customer_ids)})

    def erase(self, customer_ids: Collection[UUID]) -> tuple[dict[str, int], list[RecordedCustomer]]:
        connection = self._connection()
        connection.exec_driver_sql(_HOLD, {"ids": list(customer_ids)})
        people = list(connection.exec_driver_sql(_PEOPLE, {"ids": list(customer_ids)}).scalars())
        params = {"ids": people, "now": self._now}
        counts = {
            table: connection.exec_driver_sql(statement, params).rowcount
            for table, statement in _ERASE.items()
        }
        shells = [
            RecordedCustomer(
                **{**row, "owner_id": None if row["owner_id"] == NOBODY else row["owner_id"]},
                collaborator_ids=(),
                deleted=True,
            )
            for row in connection.exec_driver_sql(_SHELL, params).mappings()
        ]
        return {"customers": len(shells), **counts}, shells
