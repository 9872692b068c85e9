"""Lists, counts and searches of customers: always in scope, only survivors, by keyset pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from customer.domain.classification import SCHEMES
from customer.store import queries
from customer.store.deal_queries import DEAL_STATUS
from kernel.pure.errors import Invalid, Violation
from kernel.pure.grants import Principal
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute, compile_filter

# What a survivor shows together with those merged into it stands beside what is its own.
_COLUMNS = {
    "kind": Attribute("c.kind", "text"),
    "industry": Attribute("coalesce(c.composed_industry, c.industry)", "text"),
    "province": Attribute("coalesce(c.composed_province, c.province)", "text"),
    "city": Attribute("coalesce(c.composed_city, c.city)", "text"),
    "source_channel": Attribute("coalesce(c.composed_source_channel, c.source_channel)", "text"),
    "owner_id": Attribute("c.owner_id", "uuid"),
    "tags": Attribute("coalesce(c.composed_tags, c.tags)", "texts"),
    "deal_status": DEAL_STATUS,
    "create_time": Attribute("c.created_at", "timestamp", day="(c.created_at at time zone %(zone)s)::date"),
    "update_time": Attribute("c.updated_at", "timestamp", day="(c.updated_at at time zone %(zone)s)::date"),
}
_CLASSES = {
    scheme: Attribute(
        f"coalesce((select k.class from classes k where k.customer_id = c.id and k.scheme = '{scheme}'), '')",
        "text",
        held=f"""exists (select from classes k
                         where k.customer_id = c.id and k.scheme = '{scheme}' and k.class in ({{}}))""",
    )
    for scheme in SCHEMES
}

# The id that a customer, or one merged into it, has in another system; and who has one of some ids.
_EXTERNAL_ID = """
    coalesce((select min(e.value) from external_ids e join customers m on m.id = e.customer_id
              where e.source = '{}' and (m.id = c.id or m.survivor_id = c.id)), '')
"""
_HAS_EXTERNAL_ID = """
    c.id in (select coalesce(m.survivor_id, m.id) from external_ids e join customers m on m.id = e.customer_id
             where e.source = '$source' and e.value in ({}))
"""


@dataclass(frozen=True)
class Order:
    """How a list is sorted. Ids are UUIDv7: their order is that of creation."""

    sql: str
    # The condition that a row comes after the cursor, and the cursor of a row.
    after: str
    cursor: tuple[str, ...]


_ORDERS = {
    "create_time desc": Order("c.id desc", "c.id < %(after_0)s::uuid", ("id",)),
    "create_time": Order("c.id", "c.id > %(after_0)s::uuid", ("id",)),
    "update_time desc": Order(
        "c.updated_at desc, c.id desc",
        "(c.updated_at, c.id) < (%(after_0)s::timestamptz, %(after_1)s::uuid)",
        ("updated_at", "id"),
    ),
    "update_time": Order(
        "c.updated_at, c.id",
        "(c.updated_at, c.id) > (%(after_0)s::timestamptz, %(after_1)s::uuid)",
        ("updated_at", "id"),
    ),
    "initial": Order(
        "c.initial, c.id", "(c.initial, c.id) > (%(after_0)s, %(after_1)s::uuid)", ("initial", "id")
    ),
}
_STANDING = "c.survivor_id is null and c.deleted_at is null"
# Those who were erased count on, so that sums add up.
_COUNTED = "c.survivor_id is null and (c.deleted_at is null or c.erased_at is not null)"


@dataclass(frozen=True)
class Question:
    """Which customers are asked for, and in which order; made by the functions below."""

    condition: str = _STANDING
    params: Mapping[str, Any] = field(default_factory=dict)
    order: Order = _ORDERS["create_time desc"]

    def narrowed(self, condition: str, params: Mapping[str, Any]) -> Question:
        return Question(f"{self.condition} and {condition}", {**self.params, **params}, self.order)


def listing(filter_text: str, order_by: str, show_deleted: bool) -> Question:
    """The customers that fit a filter. Raises Invalid naming filter or order_by."""
    order = _ORDERS.get(" ".join(order_by.split()) or "create_time desc")
    if order is None:
        known = ", ".join(_ORDERS)
        raise Invalid.of(
            Violation("order_by", "ORDER_BY", f"must be one of: {known}", f"必须是其中之一：{known}")
        )
    standing = "c.survivor_id is null" if show_deleted else _STANDING
    return Question(standing, {}, order).narrowed(*compile_filter(filter_text, _listed))


def named(tokens: Sequence[int], filter_text: str) -> Question:
    """The customers whose name, or that of one merged into them, holds all tokens."""
    hits = """c.id in (select coalesce(n.survivor_id, n.id) from customers n
                       where n.name_tokens @> %(tokens)s::bigint[])"""
    return listing(filter_text, "", False).narrowed(hits, {"tokens": list(tokens)})


def keyed(key: int, filter_text: str) -> Question:
    """The customers that have a match key, or one merged into them has it."""
    hits = """c.id in (select coalesce(n.survivor_id, n.id) from customers n
                       join match_keys m on m.customer_id = n.id where m.key = %(key)s)"""
    return listing(filter_text, "", False).narrowed(hits, {"key": key})


def page(
    reader: Reader, principal: Principal, question: Question, cursor: Sequence[str] | None, size: int
) -> tuple[list[Any], list[str] | None]:
    """Up to `size` rows after the cursor, and the cursor of the next page or None."""
    if cursor is not None:
        question = question.narrowed(
            question.order.after, {f"after_{place}": value for place, value in enumerate(cursor)}
        )
    tail = f"order by {question.order.sql} limit {size + 1:d}"
    rows = queries.select_customers(reader, principal, question.condition, question.params, tail)
    if len(rows) <= size:
        return rows, None
    rows = rows[:size]
    return rows, [str(getattr(rows[-1], column)) for column in question.order.cursor]


def count(reader: Reader, principal: Principal, question: Question) -> int:
    """How many customers in scope there are."""
    in_scope, params = queries.predicate(principal, queries.READ)
    sql = f"select count(*)::int as customers from customers c where {in_scope} and {question.condition}"
    row = reader.row(sql, {**question.params, **params})
    return int(row.customers) if row else 0


def count_classes(reader: Reader, principal: Principal, scheme: str) -> list[Any]:
    """(class_, customers) of the customers in scope; class_ is empty for those without one."""
    in_scope, params = queries.predicate(principal, queries.READ)
    sql = f"""
        select coalesce(k.class, '') as class_, count(*)::int as customers
        from customers c left join classes k on k.customer_id = c.id and k.scheme = %(scheme)s
        where {in_scope} and {_COUNTED} group by 1 order by 1
    """
    return reader.rows(sql, {"scheme": scheme, **params})


def _listed(path: tuple[str, ...]) -> Attribute | None:
    """What a list may be filtered by; groups, who follow changes of customers, by less."""
    if len(path) == 2 and path[0] == "external_id":
        # A name of the filter's grammar: letters, digits and underscores.
        source = path[1]
        return Attribute(
            _EXTERNAL_ID.format(source), "text", held=_HAS_EXTERNAL_ID.replace("$source", source)
        )
    return attribute(path)


def attribute(path: tuple[str, ...]) -> Attribute | None:
    if len(path) == 2 and path[0] == "class":
        return _CLASSES.get(path[1])
    return _COLUMNS.get(path[0]) if len(path) == 1 else None
