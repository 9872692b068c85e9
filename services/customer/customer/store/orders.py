"""The projection of sales' orders, and the sums over it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from customer.domain.purchases import Purchases
from customer.usecases.ports import REVIEW, OrderRow
from kernel.pure.clock import year_before
from kernel.sql import timers

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
# Whose classes these customers' purchases may change: their own and those of the ones they are read through.
_CONCERNED = """
    with concerned as (
        select id from customers where id = any(%(ids)s)
        union select survivor_id from customers where id = any(%(ids)s) and survivor_id is not null
    )
    select id, exists (select from timers where kind = %(kind)s and key = id::text) as timed from concerned
"""
_HOLD = "select id from customers where id = any(%(ids)s) order by id for no key update"
_SUMS = """
    with members as (
        select id, id as root_id from customers where id = any(%(ids)s) and survivor_id is null
        union all select id, survivor_id from customers where survivor_id = any(%(ids)s)
    )
    select root_id as customer_id, count(*) filter (where made) as order_count,
           coalesce(sum(base_amount) filter (where made), 0) as total,
           min(ordered_on) filter (where made) as first_on, max(ordered_on) filter (where made) as last_on,
           count(*) filter (where in_year) as year_order_count,
           coalesce(sum(base_amount) filter (where in_year), 0) as year_total,
           min(ordered_on) filter (where in_year) as year_first_on,
           min(ordered_on) filter (where not made) as next_on
    from (select members.root_id, o.base_amount, o.ordered_on, o.ordered_on <= %(today)s as made,
                 o.ordered_on > %(year_before)s and o.ordered_on <= %(today)s as in_year
          from members join orders o on o.customer_id = members.id where status <> 'cancelled') as counted
    group by root_id
"""


class _Overtaken(Exception):
    """What was to be locked has changed meanwhile."""


class OrderRepository:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

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
        connection = self._connection()
        added = connection.exec_driver_sql(_ADD, params).scalars().all()
        if len(added) == len(rows):
            return set(added)
        # Only a row that is held says from whom the order moves: another event may just be moving it.
        connection.exec_driver_sql(_STEADY, params)
        return {*added, *connection.exec_driver_sql(_CHANGE, params).scalars()}

    def hold(self, customer_ids: Collection[UUID]) -> list[UUID]:
        while True:
            with suppress(_Overtaken), self._session.begin_nested():
                return self._hold(customer_ids)

    def _hold(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Raises _Overtaken when somebody was merged or got a timer while this waited: to wait for more
        while holding some would make two wait for each other."""
        concerned, timed = self._concerned(customer_ids)
        # Timers first: a timer that fires holds its row before it comes here.
        timers.hold(self._session, REVIEW, [str(i) for i in concerned])
        self._connection().exec_driver_sql(_HOLD, {"ids": list(concerned)})
        now_concerned, now_timed = self._concerned(customer_ids)
        if not (now_concerned <= concerned and now_timed <= timed):
            raise _Overtaken
        return list(now_concerned)

    def _concerned(self, customer_ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
        """The customers to hold, and those of them that have a timer."""
        params = {"ids": list(customer_ids), "kind": REVIEW}
        rows = self._connection().exec_driver_sql(_CONCERNED, params).all()
        return {row.id for row in rows}, {row.id for row in rows if row.timed}

    def of(self, customer_ids: Collection[UUID], today: date) -> dict[UUID, Purchases]:
        params = {"ids": list(customer_ids), "today": today, "year_before": year_before(today)}
        found = self._connection().exec_driver_sql(_SUMS, params).mappings()
        return {
            row["customer_id"]: Purchases(**{k: v for k, v in row.items() if k != "customer_id"})
            for row in found
        }
