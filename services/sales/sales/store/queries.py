"""The read side: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.sql import scope
from kernel.sql.engine import Reader
from sales.store.resting import refuse_resting, resting

READ_ORDERS = "sales.orders.read"

# Whoever sees everything also sees orders of customers not heard of yet. Whose order it is, the
# customer decides that its customer was merged into. A deleted customer's orders are out of sight.
_ORDERS = """
    select o.id, o.source, o.value, o.source_version, o.customer_id, o.ordered_on, o.status, o.lines,
           o.currency, o.total, o.refunded, o.exchange_rate, o.rate_on, o.base_amount, o.base_currency,
           o.updated_at, {resting} as resting
    from orders o left join links l on l.customer_id = o.customer_id
    left join customers c on c.customer_id = coalesce(l.survivor_id, o.customer_id)
    where c.deleted is not true and
"""
# Whoever is read through the same customer as %(customer)s.
_GROUP = """
    select linked.customer_id, linked.survivor_id from links linked
    where linked.survivor_id = coalesce(
        (select survivor_id from links where customer_id = %(customer)s), %(customer)s)
"""
# A customer in the portal is read through their survivor, too.
_OWN = """c.customer_id = coalesce(
        (select survivor_id from links where customer_id = %(scope_customer)s), %(scope_customer)s)"""
_NEWEST_FIRST = " order by o.ordered_on desc, o.id desc limit %(limit)s"
_PRODUCTS = """
    select id, source, value, source_version, name, category, list_price, currency, discontinued, updated_at
    from products
    where
"""
_BY_NAME = " order by name, id limit %(limit)s"


def get_order(reader: Reader, principal: Principal, order_id: UUID) -> Any | None:
    """The row of one order; None when there is none or its customer is out of scope.

    Raises SubjectRestricted.
    """
    condition, params = _reached(principal)
    sql = _ORDERS.format(resting=resting(principal, "o.customer_id")) + condition + " and o.id = %(id)s"
    return refuse_resting(reader.row(sql, {**params, "id": order_id}))


def list_orders(
    reader: Reader,
    principal: Principal,
    customer_id: UUID | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[Any]:
    """Rows of orders in scope, newest first, from the one that comes after (ordered_on, id) `after`.

    Those of a customer include the orders of all that were merged with it. Without those whose data rests.
    """
    condition, params = _reached(principal)
    if customer_id is not None:
        links = reader.rows(_GROUP, {"customer": customer_id})
        group = {customer_id, *(linked for row in links for linked in row)}
        # Orders of one customer come from their index in order; those of a group are sorted.
        condition += " and o.customer_id = " + ("any(%(customer)s)" if links else "%(customer)s")
        params["customer"] = list(group) if links else customer_id
    if after is not None:
        condition += " and (o.ordered_on, o.id) < (%(day)s, %(id)s)"
        params["day"], params["id"] = after
    rests = resting(principal, "o.customer_id")
    sql = f"{_ORDERS.format(resting=rests)} not {rests} and {condition} {_NEWEST_FIRST}"
    return reader.rows(sql, {**params, "limit": limit})


def _reached(principal: Principal) -> tuple[str, dict[str, Any]]:
    """kernel.sql.scope.predicate of an order by its customer `c`."""
    return scope.predicate(principal, READ_ORDERS, "c.owner_id", "c.collaborator_ids", _OWN)


def get_product(reader: Reader, product_id: UUID) -> Any | None:
    """The row of one product; None when there is none."""
    return reader.row(_PRODUCTS + "id = %(id)s", {"id": product_id})


def list_products(reader: Reader, after: tuple[str, UUID] | None, limit: int) -> list[Any]:
    """Rows of products by name, from the one that comes after (name, id) `after`."""
    if after is None:
        return reader.rows(_PRODUCTS + "true" + _BY_NAME, {"limit": limit})
    name, product_id = after
    params = {"name": name, "id": product_id, "limit": limit}
    return reader.rows(_PRODUCTS + "(name, id) > (%(name)s, %(id)s)" + _BY_NAME, params)
