"""Customers that stand for themselves: whom an id is read and written through."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from customer.store import queries
from customer.store.queries import STANDING
from customer.usecases.ports import StandingCustomer
from kernel.pure.grants import Principal
from kernel.sql.uow import OpenReader

# In one order, so that two who hold the same customers wait for each other and never in a circle.
_HOLD = """
    select id from customers
    where id in (select coalesce(survivor_id, id) from customers where id = any(%(ids)s))
    order by id for no key update
"""


class StandingRepository:
    def __init__(self, session: Session, principal: Principal) -> None:
        self._session = session
        self._connection = session.connection
        self._principal = principal

    def hold(self, customer_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(_HOLD, {"ids": list(customer_ids)})

    def of(self, customer_id: UUID, permission: str) -> StandingCustomer:
        reached, params = queries.predicate(self._principal, permission)
        sql = f"""
            select c.id, c.kind from customers c
            where c.id = {STANDING} and c.deleted_at is null and {reached}
        """
        row = self._connection().exec_driver_sql(sql, {"id": customer_id, **params}).first()
        if row is None:
            raise queries.refusal(OpenReader(self._session), self._principal, permission, customer_id)
        return StandingCustomer(row.id, row.kind)
