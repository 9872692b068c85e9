"""Which leads sellers get, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.sql import scope
from sales.domain.assignment import Seller

_HELD = "(select count(*) from leads l where l.owner_id = s.user_id and l.status <> 'closed')::int"
_ALL = f"""
    select s.user_id, s.provinces, s.industries, s.capacity, s.absent_from, s.absent_until,
           s.last_assigned_at, {_HELD} as held, coalesce(u.disabled, false) as disabled
    from sellers s left join staff u on u.user_id = s.user_id
"""
_ORDER = " order by s.user_id"
_LOCK = "select 1 from sellers order by user_id for no key update"
_COUNT = "select count(*) from leads where owner_id = %(user)s and status <> 'closed'"
_NOTE = "update sellers set last_assigned_at = %(now)s where user_id = %(user)s"
_REACHES = "select 1 from staff s where s.user_id = %(user)s and not s.disabled"
_PUT = """
    insert into sellers (user_id, provinces, industries, capacity, absent_from, absent_until)
    values (%(user_id)s, %(provinces)s::text[], %(industries)s::text[], %(capacity)s, %(absent_from)s,
            %(absent_until)s)
    on conflict (user_id) do update
    set provinces = excluded.provinces, industries = excluded.industries, capacity = excluded.capacity,
        absent_from = excluded.absent_from, absent_until = excluded.absent_until
"""


class SellerRepository:
    def __init__(self, session: Session, principal: Principal, now: datetime) -> None:
        self._run = session.connection
        self._principal = principal
        self._now = now

    def all(self, *, lock: bool) -> list[Seller]:
        """Every seller with a profile; locked, two leads at once are not given to one seller in turn."""
        if lock:
            self._run().exec_driver_sql(_LOCK)
        return [_seller(row) for row in self._run().exec_driver_sql(_ALL + _ORDER)]

    def held(self, user_id: UUID) -> int:
        """How many open leads a user has."""
        return int(self._run().exec_driver_sql(_COUNT, {"user": user_id}).scalar_one())

    def note_assigned(self, user_id: UUID) -> None:
        self._run().exec_driver_sql(_NOTE, {"user": user_id, "now": self._now})

    def reaches(self, user_id: UUID, permission: str) -> bool:
        """Whether the principal's grant of `permission` reaches what this user, who is known and not
        disabled, owns."""
        in_reach, params = scope.predicate(self._principal, permission, "s.user_id")
        found = self._run().exec_driver_sql(f"{_REACHES} and {in_reach}", {**params, "user": user_id})
        return found.first() is not None

    def put(self, seller: Seller) -> Seller:
        """Stores a profile; answers it as it is now."""
        params = {**vars(seller), "provinces": list(seller.provinces), "industries": list(seller.industries)}
        self._run().exec_driver_sql(_PUT, params)
        row = self._run().exec_driver_sql(_ALL + " where s.user_id = %(id)s", {"id": seller.user_id}).one()
        return _seller(row)


def _seller(row: Any) -> Seller:
    return Seller(
        user_id=row.user_id,
        provinces=tuple(row.provinces),
        industries=tuple(row.industries),
        capacity=row.capacity,
        absent_from=row.absent_from,
        absent_until=row.absent_until,
        held=row.held,
        disabled=row.disabled,
        last_assigned_at=row.last_assigned_at,
    )
