"""Schemes, the classes customers have, and the timers that look at them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from customer.domain.schemes import Scheme
from customer.usecases.ports import REVIEW, ClassRow
from kernel.pure.clock import day_start
from kernel.sql import timers
from kernel.sql.timers import Timer
from kernel.sql.uow import OpenReader

_SCHEMES = "select distinct on (id) id, version, title, rules from schemes order by id, version desc"
_OF = """
    select customer_id, scheme, class as class_, version, scheme_version, since, review_on
    from classes where customer_id = any(%(ids)s)
"""
_SAVE = """
    insert into classes (customer_id, scheme, class, version, scheme_version, since, review_on)
    select * from unnest(%(customers)s::uuid[], %(schemes)s::text[], %(classes)s::text[], %(versions)s::int[],
                         %(scheme_versions)s::int[], %(since)s::timestamptz[], %(reviews)s::date[])
    on conflict (customer_id, scheme) do update
    set class = excluded.class, version = excluded.version, scheme_version = excluded.scheme_version,
        since = excluded.since, review_on = excluded.review_on
"""


class ClassRepository:
    def __init__(self, session: Session, reader: OpenReader, zone: ZoneInfo) -> None:
        self._session = session
        self._reader = reader
        self._zone = zone

    def schemes(self) -> list[Scheme]:
        return [Scheme(**row._asdict()) for row in self._reader.rows(_SCHEMES)]

    def of(self, customer_ids: Collection[UUID]) -> list[ClassRow]:
        return [ClassRow(**row._asdict()) for row in self._reader.rows(_OF, {"ids": list(customer_ids)})]

    def save(self, rows: Sequence[ClassRow]) -> None:
        if not rows:
            return
        params = {
            "customers": [row.customer_id for row in rows],
            "schemes": [row.scheme for row in rows],
            "classes": [row.class_ for row in rows],
            "versions": [row.version for row in rows],
            "scheme_versions": [row.scheme_version for row in rows],
            "since": [row.since for row in rows],
            "reviews": [row.review_on for row in rows],
        }
        self._reader.run((_SAVE, params))

    def review(self, due: Mapping[UUID, date | None]) -> None:
        wanted = [Timer(REVIEW, str(i), day_start(day, self._zone)) for i, day in due.items() if day]
        timers.schedule(self._session, wanted)
        timers.cancel(self._session, REVIEW, [str(i) for i, day in due.items() if day is None])
