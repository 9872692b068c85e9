"""Locking customers, and those they are read through, against being classified by another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.usecases.ports import REVIEW
from kernel.sql import timers
from kernel.sql.prepared import Statement
from kernel.sql.uow import OpenReader

# Whose classes these customers' purchases may change: their own and those of the ones they are read through.
_CONCERNED = """
    with concerned as (
        select id from customers where id = any(%(ids)s)
        union select survivor_id from customers where id = any(%(ids)s) and survivor_id is not null
    )
    select id, exists (select from timers where kind = %(kind)s and key = id::text) as timed from concerned
"""
_HOLD = "select id from customers where id = any(%(ids)s) order by id for no key update"
_SAVEPOINT, _ROLLBACK = ("savepoint held", ()), ("rollback to held", ())


def hold(
    session: Session, reader: OpenReader, customer_ids: Collection[UUID], *asked: tuple[str, dict[str, Any]]
) -> tuple[list[UUID], list[list[Any]]]:
    """Answers those that exist and are locked now, and what was `asked` about them.

    The statements asked take these customers as %(ids)s; they go on the way that locks. Of a customer that
    was removed meanwhile they may answer too.
    """
    # Who is read through whom may just have been changed in this transaction.
    session.flush()
    concerned: Statement = _CONCERNED, {"ids": list(customer_ids), "kind": REVIEW}
    while True:
        # Not released: it ends with the transaction.
        _, known = reader.run(_SAVEPOINT, concerned)
        ids = [row.id for row in known]
        _, _, now, *answers = reader.run(
            # Timers first: a timer that fires holds its row before it comes here.
            timers.holding(REVIEW, [str(i) for i in ids]),
            (_HOLD, {"ids": ids}),
            concerned,
            *((sql, {**params, "ids": ids}) for sql, params in asked),
        )
        if {*now} <= {*known, *(row._replace(timed=False) for row in known)}:
            return [row.id for row in now], answers
        # Somebody was merged or got a timer while this waited: to wait for more while holding some would
        # make two wait for each other.
        reader.run(_ROLLBACK)
