"""Projection of the customer service: which customers are one human."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.projection import take_links

_ONE_WITH = """
    with root as (
        select coalesce((select survivor_id from links where customer_id = %(id)s), %(id)s) as id
    )
    select id from root union select l.customer_id from root join links l on l.survivor_id = root.id
    union select %(id)s
"""
_FORGET = "delete from links where customer_id = any(%(ids)s) or survivor_id = any(%(ids)s)"


class LinkRepository:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._run = session.connection

    def apply(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""
        take_links(self._session, told)

    def one_with(self, customer_id: UUID) -> list[UUID]:
        """All ids of the human with this one, in order."""
        return sorted(self._run().exec_driver_sql(_ONE_WITH, {"id": customer_id}).scalars())

    def forget(self, customer_ids: Sequence[UUID]) -> int:
        """Deletes the links of these; how many there were."""
        return self._run().exec_driver_sql(_FORGET, {"ids": list(customer_ids)}).rowcount
