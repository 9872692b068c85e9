"""Schemes, the classes customers have, how they changed, and the timers that look at them again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from customer.domain.events import ClassifiedCustomer
from customer.domain.purchases import Purchases
from customer.domain.schemes import Scheme
from customer.store.holding import hold
from customer.usecases.ports import REVIEW, ClassRow, Grounds
from kernel.pure.clock import day_start, year_before
from kernel.sql import timers
from kernel.sql.prepared import Statement
from kernel.sql.timers import Timer
from kernel.sql.uow import OpenReader

_SCHEMES = "select distinct on (id) id, version, title, rules from schemes order by id, version desc"
_OF = """
    select customer_id, scheme, class as class_, version, scheme_version, since, review_on
    from classes where customer_id = any(%(ids)s)
"""
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
_SAVE = """
    insert into classes (customer_id, scheme, class, version, scheme_version, since, review_on)
    select * from unnest(%(customers)s::uuid[], %(schemes)s::text[], %(classes)s::text[], %(versions)s::int[],
                         %(scheme_versions)s::int[], %(since)s::timestamptz[], %(reviews)s::date[])
    on conflict (customer_id, scheme) do update
    set class = excluded.class, version = excluded.version, scheme_version = excluded.scheme_version,
        since = excluded.since, review_on = excluded.review_on
"""
# What the timeline and the state of a day gone by are told from.
_CHANGED = """
    insert into class_changes (customer_id, scheme, class, previous_class, at)
    select *, %(now)s
    from unnest(%(customers)s::uuid[], %(schemes)s::text[], %(classes)s::text[], %(before)s::text[])
"""


class ClassRepository:
    def __init__(self, session: Session, reader: OpenReader, zone: ZoneInfo, now: datetime) -> None:
        self._session = session
        self._reader = reader
        self._zone = zone
        self._now = now

    def grounds(self, customer_ids: Collection[UUID], today: date) -> Grounds:
        days = {"today": today, "year_before": year_before(today)}
        held, (sums, classes, schemes) = hold(
            self._session, self._reader, customer_ids, (_SUMS, days), (_OF, {}), (_SCHEMES, {})
        )
        return Grounds(
            customer_ids=held,
            purchases=dict(_purchases(sums)),
            classes=[ClassRow(**row._asdict()) for row in classes],
            schemes=[Scheme(**row._asdict()) for row in schemes],
        )

    def save(
        self,
        rows: Sequence[ClassRow],
        changes: Sequence[ClassifiedCustomer],
        reviews: Mapping[UUID, date | None],
    ) -> None:
        due = [Timer(REVIEW, str(i), day_start(day, self._zone)) for i, day in reviews.items() if day]
        done = [str(i) for i, day in reviews.items() if day is None]
        statements = [*timers.scheduling(due), *timers.cancelling(REVIEW, done)]
        if rows:
            statements.append(_saving(rows))
        if changes:
            statements.append(_noting(changes, self._now))
        if statements:
            self._reader.run(*statements)


def _purchases(rows: Sequence[Any]) -> Iterator[tuple[UUID, Purchases]]:
    for row in rows:
        sums = row._asdict()
        yield sums.pop("customer_id"), Purchases(**sums)


def _saving(rows: Sequence[ClassRow]) -> Statement:
    return _SAVE, {
        "customers": [row.customer_id for row in rows],
        "schemes": [row.scheme for row in rows],
        "classes": [row.class_ for row in rows],
        "versions": [row.version for row in rows],
        "scheme_versions": [row.scheme_version for row in rows],
        "since": [row.since for row in rows],
        "reviews": [row.review_on for row in rows],
    }


def _noting(changes: Sequence[ClassifiedCustomer], now: datetime) -> Statement:
    return _CHANGED, {
        "customers": [change.customer_id for change in changes],
        "schemes": [change.scheme for change in changes],
        "classes": [change.class_ for change in changes],
        "before": [change.previous_class for change in changes],
        "now": now,
    }
