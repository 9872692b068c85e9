"""The projection of sales' orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from customer.store.holding import hold
from customer.usecases.ports import OrderRow
from kernel.sql.uow import OpenReader

_TOLD = """
    select * from unnest(%(ids)s::uuid[], %(versions)s::int[], %(customers)s::uuid[], %(days)s::date[],
                         %(statuses)s::text[], %(amounts)s::numeric[])
        as told (order_id, version, customer_id, ordered_on, status, base_amount)
    order by order_id
"""
_ADD = f"""
    insert into orders (order_id, version, customer_id, ordered_on, status, base_amount) {_TOLD}
    on conflict (order_id) do nothing
    returning customer_id
"""
_STEADY = "select from orders where order_id = any(%(ids)s) order by order_id for no key update"
# An order may have moved from one customer to another: both are affected.
_CHANGE = f"""
    with told as ({_TOLD}), before as (
        select o.customer_id from orders o join told using (order_id) where o.version < told.version
    ), changed as (
        update orders o
        set version = told.version, customer_id = told.customer_id, ordered_on = told.ordered_on,
            status = told.status, base_amount = told.base_amount
        from told where o.order_id = told.order_id and o.version < told.version
        returning o.customer_id
    )
    select customer_id from changed union select customer_id from before
"""


class OrderRepository:
    def __init__(self, session: Session, reader: OpenReader) -> None:
        self._session = session
        self._reader = reader

    def apply(self, orders: Sequence[OrderRow]) -> set[UUID]:
        newest = {order.order_id: order for order in sorted(orders, key=lambda order: order.version)}
        rows = sorted(newest.values(), key=lambda order: order.order_id)
        params = {
            "ids": [row.order_id for row in rows],
            "versions": [row.version for row in rows],
            "customers": [row.customer_id for row in rows],
            "days": [row.ordered_on for row in rows],
            "statuses": [row.status for row in rows],
            "amounts": [row.base_amount for row in rows],
        }
        added = self._reader.rows(_ADD, params)
        affected = {row.customer_id for row in added}
        if len(added) < len(rows):
            # Only a row that is held says from whom the order moves: another event may just be moving it.
            _, changed = self._reader.run((_STEADY, params), (_CHANGE, params))
            affected.update(row.customer_id for row in changed)
        return affected

    def hold(self, customer_ids: Collection[UUID]) -> None:
        hold(self._session, self._reader, customer_ids)
