"""The read side: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from kernel.pure.clock import year_before
from kernel.pure.grants import Principal
from kernel.sql import scope
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

READ = "customer.customers.read"
# The table a sealed document belongs to; part of what its seal is bound to.
SEALED_IN = "customers"

_CUSTOMER = """
    select c.id, c.version, c.kind, c.owner_id, c.sealed, c.company, c.source_channel, c.industry,
           c.province, c.city, c.tags, c.created_at, c.updated_at,
           array(select array[e.source, e.value] from external_ids e where e.customer_id = c.id
                 order by e.source, e.value) as external_ids,
           (select jsonb_agg(jsonb_build_array(k.scheme, k.scheme_version, k.class, k.review_on,
                                               extract(epoch from k.since)) order by k.scheme)
            from classes k where k.customer_id = c.id and k.class <> '') as classes
    from customers c
"""
_PURCHASES = """
    select count(*) as order_count, coalesce(sum(base_amount), 0) as total,
           count(*) filter (where in_year) as year_order_count,
           coalesce(sum(base_amount) filter (where in_year), 0) as year_total,
           min(ordered_on) as first_on, max(ordered_on) as last_on
    from (select base_amount, ordered_on, ordered_on > %(year_before)s and ordered_on <= %(today)s as in_year
          from orders where customer_id = %(id)s and status <> 'cancelled') as counted
"""
_RECENT_ORDERS = """
    select order_id, ordered_on, base_amount, status from orders
    where customer_id = %(id)s order by ordered_on desc, order_id desc limit 20
"""
_SCHEMES = "select distinct on (id) id, version, title, rules from schemes order by id, version desc"


def select_customers(
    reader: Reader, principal: Principal, condition: str, params: Mapping[str, Any], tail: str = ""
) -> list[Any]:
    """Rows of customers in scope that fit a condition on `c`, which is a constant of the program.

    Every read of customers goes through here, so that none forgets the scope.
    """
    in_scope, scope_params = scope.predicate(principal, READ, "c.owner_id")
    sql = f"{_CUSTOMER} where {in_scope} and {condition} {tail}"
    return reader.rows(sql, {**params, **scope_params})


def get_customer(reader: Reader, principal: Principal, customer_id: UUID) -> Any | None:
    """The row of one customer; None when there is none or it is out of scope."""
    found = select_customers(reader, principal, "c.id = %(id)s", {"id": customer_id})
    return found[0] if found else None


def open_documents(sealer: Sealer, rows: Sequence[Any]) -> list[dict[str, Any] | None]:
    """The personal documents of a page of rows; None for companies and for persons whose keys are gone."""
    return sealer.open_page(SEALED_IN, [(row.id, row.id, row.sealed) for row in rows])


def get_purchases(reader: Reader, customer_id: UUID, today: date) -> Any:
    """The sums over one customer's orders; the caller has checked the scope."""
    params = {"id": customer_id, "today": today, "year_before": year_before(today)}
    return reader.row(_PURCHASES, params)


def recent_orders(reader: Reader, customer_id: UUID) -> Sequence[Any]:
    """The newest 20 orders of a customer; the caller has checked the scope."""
    return reader.rows(_RECENT_ORDERS, {"id": customer_id})


def list_schemes(reader: Reader) -> list[Any]:
    """The newest version of each scheme."""
    return reader.rows(_SCHEMES)
