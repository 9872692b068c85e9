"""Projection of the customer service: whose customer an order's customer is, and by whom it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal, Scope
from kernel.sql import scope
from kernel.sql.projection import take_links, take_over
from sales.store.links import ONE_WITH
from sales.usecases.ports import CustomerRow

_APPLY = """
    insert into customers (customer_id, version, owner_id, collaborator_ids, deleted)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        customer_id uuid, version int, owner_id uuid, collaborator_ids uuid[], deleted bool)
    on conflict (customer_id) do update
    set version = excluded.version, owner_id = excluded.owner_id,
        collaborator_ids = excluded.collaborator_ids, deleted = excluded.deleted
    where customers.version < excluded.version
"""
_REACHED = """
    select 1 from customers c left join links l on l.customer_id = %(id)s
    where c.customer_id = coalesce(l.survivor_id, %(id)s) and not c.deleted
"""
_ONE_WITH_ASKED = ONE_WITH.format("asked.id")
_USABLE = f"""
    select distinct one.id from unnest(%(ids)s::uuid[]) as asked (id)
    cross join lateral unnest({_ONE_WITH_ASKED}) as one (id)
    where not exists (select from restricted_subjects x where x.subject_id = one.id and x.restricted)
"""
_DELETED = "select 1 from customers where customer_id = %(id)s and deleted"


class CustomerProjection:
    def __init__(self, session: Session, principal: Principal) -> None:
        self._session = session
        self._principal = principal

    def reached(self, customer_id: UUID, permission: str) -> bool:
        """Whether the principal's grant of `permission` reaches the customer; whoever reaches everything
        reaches customers not heard of yet, too."""
        run = self._session.connection().exec_driver_sql
        if self._principal.scope_of(permission) is Scope.ALL:
            return run(_DELETED, {"id": customer_id}).first() is None
        in_reach, params = scope.predicate(self._principal, permission, "c.owner_id", "c.collaborator_ids")
        return run(f"{_REACHED} and {in_reach}", {**params, "id": customer_id}).first() is not None

    def apply(self, told: Iterable[CustomerRow]) -> None:
        """Takes over the rows that are newer than what is held."""
        take_over(self._session, _APPLY, told, "customer_id")

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""
        take_links(self._session, told)

    def usable(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """The ids of all who are one with these, but of those whose data rests."""
        found = self._session.connection().exec_driver_sql(_USABLE, {"ids": list(customer_ids)})
        return list(found.scalars())
