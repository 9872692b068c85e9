"""Projections of the customer service: who there is, by whom they are read, and their classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql import subjects
from kernel.sql.engine import Reader
from kernel.sql.projection import take_links, take_over
from ticketing.domain.ticket import Standing
from ticketing.usecases.ports import ClassRow, CustomerRow

_APPLY = """
    insert into customers (customer_id, version, kind, deleted)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        customer_id uuid, version int, kind text, deleted bool)
    on conflict (customer_id) do update
    set version = excluded.version, kind = excluded.kind, deleted = excluded.deleted
    where customers.version < excluded.version
"""
_CLASSIFY = """
    insert into classes (customer_id, scheme, version, class)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        customer_id uuid, scheme text, version int, class_ text)
    on conflict (customer_id, scheme) do update set version = excluded.version, class = excluded.class
    where classes.version < excluded.version
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
        self._session = session
        self._connection = session.connection
        self._reader = reader

    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""
        take_over(self._session, _APPLY, told, "customer_id")

    def classify(self, told: Iterable[ClassRow]) -> None:
        """The same of classes."""
        take_over(self._session, _CLASSIFY, told, "customer_id", "scheme")

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """The same of (customer id, survivor id, version) links."""
        take_links(self._session, told)

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
