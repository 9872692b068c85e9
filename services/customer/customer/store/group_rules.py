"""Expressions of groups as SQL conditions on customers, with what they need besides the row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from customer.domain import groups as rules
from customer.domain.purchases import earliest, leaves_year_on
from customer.store import finding
from kernel.pure.clock import year_before
from kernel.sql.filters import Attribute, compile_filter

FIELD = "group.expression"
# Before every other day.
_NEVER = "date '0001-01-01'"
_MEMBERS = "array(select c.id union all select a.id from customers a where a.survivor_id = c.id)"
# What a customer bought, together with those it absorbed, as customer.domain.purchases counts it.
_PURCHASES = f"""
    left join lateral (
        select count(*) filter (where made) as order_count,
               coalesce(sum(base_amount) filter (where made), 0) as total,
               count(*) filter (where in_year) as year_order_count,
               coalesce(sum(base_amount) filter (where in_year), 0) as year_total,
               coalesce(min(ordered_on) filter (where made), {_NEVER}) as first_order_on,
               coalesce(max(ordered_on) filter (where made), {_NEVER}) as last_order_on,
               min(ordered_on) filter (where in_year) as year_first_on,
               min(ordered_on) filter (where not made) as next_on
        from (select base_amount, ordered_on, ordered_on <= %(today)s as made,
                     ordered_on > %(year_before)s and ordered_on <= %(today)s as in_year
              from orders where customer_id = any({_MEMBERS}) and status <> 'cancelled') as counted
    ) p on true
"""
_SOURCES = {"purchases": _PURCHASES}
_FACTS: dict[tuple[str, ...], Attribute] = {
    ("purchases", "order_count"): Attribute("p.order_count", "int"),
    ("purchases", "total"): Attribute("p.total", "int"),
    ("purchases", "year_order_count"): Attribute("p.year_order_count", "int"),
    ("purchases", "year_total"): Attribute("p.year_total", "int"),
    ("purchases", "first_order_on"): Attribute("p.first_order_on", "day"),
    ("purchases", "last_order_on"): Attribute("p.last_order_on", "day"),
}
# Their answers change when an order leaves the trailing 12 months; those of all facts about purchases when
# the day comes that an order is dated.
_OF_THE_YEAR = {("purchases", "year_order_count"), ("purchases", "year_total")}
# Besides: customers that stand for themselves, are to be seen and may be used.
STANDS = "c.survivor_id is null and c.deleted_at is null and not c.restricted"


@dataclass(frozen=True)
class Today:
    """The present day in the business zone."""

    day: date
    zone: ZoneInfo

    def params(self) -> dict[str, Any]:
        return {"today": self.day, "year_before": year_before(self.day), "zone": self.zone.key}


@dataclass(frozen=True)
class Selection:
    """A condition on `c` for each of some expressions, the joins that they need, and their parameters."""

    conditions: list[str]
    joins: str
    params: dict[str, Any]


def selection(expressions: Sequence[str], today: Today, field: str = FIELD) -> Selection:
    """An empty expression selects nobody. Raises Invalid naming `field`."""
    conditions, params = [], today.params()
    for place, expression in enumerate(expressions):
        if not expression:
            conditions.append("false")
            continue
        condition, values = compile_filter(
            expression, _attribute, field, today=today.day, prefix=f"rule_{place}"
        )
        conditions.append(condition)
        params |= values
    return Selection(conditions, _joins(expressions), params)


@dataclass(frozen=True)
class Watched:
    """What time alone changes in the answers of some expressions: `days` are the ages at which the day of
    an attribute matters, `orders` says whether orders do, `year` whether those of the trailing 12 months."""

    days: dict[tuple[str, ...], set[int]]
    orders: bool
    year: bool

    def __bool__(self) -> bool:
        return self.orders or bool(self.days)

    def query(self) -> tuple[str, str]:
        """The columns that `next_change` wants of a row, and the joins they need."""
        columns = [f"{_day_of(path)} as day_{place}" for place, path in enumerate(self.days)]
        if self.orders:
            columns += ["p.year_first_on", "p.next_on"]
        return ", ".join(columns), _PURCHASES if self.orders else ""

    def next_change(self, row: Any, today: date) -> date | None:
        """The first day after today on which an answer about a row may change by itself."""
        found = [
            rules.next_change(getattr(row, f"day_{place}"), ages, today)
            for place, ages in enumerate(self.days.values())
        ]
        if self.orders:
            found.append(row.next_on)
        if self.year and row.year_first_on:
            found.append(leaves_year_on(row.year_first_on))
        return earliest(*found)


def watched(expressions: Collection[str]) -> Watched:
    days: dict[tuple[str, ...], set[int]] = {}
    orders = year = False
    for expression in filter(None, expressions):
        for moment in rules.moments(expression):
            days.setdefault(moment.path, set()).add(moment.days)
        names = rules.names(expression)
        orders = orders or any(path in _FACTS for path in names)
        year = year or bool(names & _OF_THE_YEAR)
    return Watched(days, orders, year)


def inputs(expression: str) -> tuple[str, str]:
    """Columns with what an expression asks for, as text in the order of its sorted names, and joins."""
    columns = [f"({_known(path).sql})::text" for path in sorted(rules.names(expression))]
    return f"array[{', '.join(columns)}]::text[]", _joins([expression])


def _joins(expressions: Collection[str]) -> str:
    used = {path[0] for expression in filter(None, expressions) for path in rules.names(expression)}
    return "".join(_SOURCES[name] for name in sorted(used & set(_SOURCES)))


def _attribute(path: tuple[str, ...]) -> Attribute | None:
    return _FACTS.get(path) or finding.attribute(path)


def _known(path: tuple[str, ...]) -> Attribute:
    attribute = _attribute(path)
    assert attribute is not None, path
    return attribute


def _day_of(path: tuple[str, ...]) -> str:
    attribute = _known(path)
    return attribute.sql if attribute.kind == "day" else attribute.day
