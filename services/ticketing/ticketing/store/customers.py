"""Projections of the customer service: who there is, by whom they are read, and their classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql import subjects
from kernel.sql.engine import Reader
from ticketing.domain.ticket import Standing
from ticketing.usecases.ports import ClassRow, CustomerRow

_APPLY = """
    insert into customers (customer_id, version, kind, deleted)
    values (%(customer_id)s, %(version)s, %(kind)s, %(deleted)s)
    on conflict (customer_id) do update
    set version = excluded.version, kind = excluded.kind, deleted = excluded.deleted
    where customers.version < excluded.version
"""
_CLASSIFY = """
    insert into classes (customer_id, scheme, version, class)
    values (%(customer_id)s, %(scheme)s, %(version)s, %(class_)s)
    on conflict (customer_id, scheme) do update set version = excluded.version, class = excluded.class
    where classes.version < excluded.version
"""
# Links are told flattened: a survivor is never linked itself.
_LINK = """
    insert into links (customer_id, survivor_id, version)
    values (%(customer_id)s, %(survivor_id)s, %(version)s)
    on conflict (customer_id) do update set survivor_id = excluded.survivor_id, version = excluded.version
    where links.version < excluded.version
"""
_STANDING = """
    select scheme, class from classes
    where customer_id = coalesce((select survivor_id from links where customer_id = %(id)s), %(id)s)
"""
# Whoever is read through the same customer as %(id)s.
_GROUP = """
    select linked.customer_id, linked.survivor_id from links linked
    where linked.survivor_id = coalesce((select survivor_id from links where customer_id = %(id)s), %(id)s)
"""
_SURVIVOR = """
    select c.customer_id from customers c
    where c.customer_id = coalesce((select survivor_id from links where customer_id = %(id)s), %(id)s)
      and not c.deleted
"""


class CustomerProjection:
    def __init__(self, session: Session, reader: Reader) -> None:
        self._connection = session.connection
        self._reader = reader

    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""
        # Ids in order, so that handlers can't deadlock.
        self._many(_APPLY, sorted(told, key=lambda row: (row.customer_id, row.version)))

    def classify(self, told: Iterable[ClassRow]) -> None:
        """The same of classes."""
        self._many(_CLASSIFY, sorted(told, key=lambda row: (row.customer_id, row.scheme, row.version)))

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """The same of (customer id, survivor id, version) links."""
        names = ("customer_id", "survivor_id", "version")
        rows = [dict(zip(names, row, strict=True)) for row in sorted(told, key=lambda row: (row[0], row[2]))]
        if rows:
            self._connection().exec_driver_sql(_LINK, rows)

    def standing(self, customer_id: UUID | None) -> Standing:
        """What rules may ask of a customer, by whom they are read now."""
        if customer_id is None:
            return Standing()
        rows = self._connection().exec_driver_sql(_STANDING, {"id": customer_id}).all()
        return Standing({row.scheme: row[1] for row in rows if row[1]})

    def group(self, customer_id: UUID) -> Collection[UUID]:
        """The customer and all that are read through the same one."""
        rows = self._connection().exec_driver_sql(_GROUP, {"id": customer_id}).all()
        return {customer_id, *(linked for row in rows for linked in row if linked)}

    def survivor(self, customer_id: UUID) -> UUID | None:
        """By whom a customer is read; None when they are not known here, or deleted."""
        found: UUID | None = self._connection().exec_driver_sql(_SURVIVOR, {"id": customer_id}).scalar()
        return found

    def refuse_restricted(self, customer_id: UUID) -> None:
        """Raises SubjectRestricted when the customer's data may not be used now."""
        subjects.refuse_restricted(self._reader, [customer_id])

    def _many(self, sql: str, rows: list[Any]) -> None:
        if rows:
            params: list[Mapping[str, Any]] = [vars(row) for row in rows]
            self._connection().exec_driver_sql(sql, params)
