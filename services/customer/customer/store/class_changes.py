"""When a customer's class changed: what the timeline and the state of a day gone by are told from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from customer.domain.events import ClassifiedCustomer
from kernel.sql.uow import OpenReader

_ADD = """
    insert into class_changes (customer_id, scheme, class, previous_class, at)
    select *, %(now)s
    from unnest(%(customers)s::uuid[], %(schemes)s::text[], %(classes)s::text[], %(before)s::text[])
"""


class ClassChangeRepository:
    def __init__(self, reader: OpenReader, now: datetime) -> None:
        self._reader = reader
        self._now = now

    def add(self, changes: Sequence[ClassifiedCustomer]) -> None:
        if not changes:
            return
        params = {
            "customers": [change.customer_id for change in changes],
            "schemes": [change.scheme for change in changes],
            "classes": [change.class_ for change in changes],
            "before": [change.previous_class for change in changes],
            "now": self._now,
        }
        self._reader.run((_ADD, params))
