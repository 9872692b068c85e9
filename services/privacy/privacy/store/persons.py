"""Projection of the customer service: the persons there are, by whom they are seen and read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal, Scope
from kernel.sql import scope
from kernel.sql.engine import Reader
from kernel.sql.projection import take_links, take_over
from privacy.usecases.ports import PersonRow

RECORD_CONSENTS = "privacy.consents.record"
REQUEST_ERASURES = "privacy.erasures.request"

_APPLY = """
    insert into persons (person_id, version, owner_id, collaborator_ids, deleted)
    select * from jsonb_to_recordset(%(told)s::jsonb) as told (
        person_id uuid, version int, owner_id uuid, collaborator_ids uuid[], deleted bool)
    on conflict (person_id) do update
    set version = excluded.version, owner_id = excluded.owner_id,
        collaborator_ids = excluded.collaborator_ids, deleted = excluded.deleted
    where persons.version < excluded.version
"""
_REACHED = """
    select count(*) as reached from unnest(%(ids)s::uuid[]) asked(id)
    left join links l on l.customer_id = asked.id
    join persons p on p.person_id = coalesce(l.survivor_id, asked.id)
    where
"""
_STANDING = " not p.deleted and "
# The person whom a customer in the portal is, whichever of their ids the portal knows.
OWN = """
    p.person_id = coalesce(
        (select survivor_id from links where customer_id = %(scope_customer)s), %(scope_customer)s)
"""
# Every id of a person: their own, the one they are read through, all that are read through it.
MEMBERS = """
    with root as (
        select asked.id as asked, coalesce(l.survivor_id, asked.id) as id
        from unnest(%(ids)s::uuid[]) asked(id) left join links l on l.customer_id = asked.id
    )
    select asked, asked as member from root union select asked, id from root
    union select asked, l.customer_id from root join links l on l.survivor_id = root.id
"""


class PersonProjection:
    def __init__(self, session: Session, reader: Reader, principal: Principal) -> None:
        self._session = session
        self._reader = reader
        self._principal = principal

    def apply(self, told: Iterable[PersonRow]) -> None:
        """Takes over the rows that are newer than what is held."""
        take_over(self._session, _APPLY, told, "person_id")

    def link(self, told: Iterable[tuple[UUID, UUID | None, int]]) -> None:
        """Takes over the (customer id, survivor id, version) links that are newer than what is held."""
        take_links(self._session, told)

    def known(self, subject_id: UUID) -> bool:
        """Whether there is or was such a person, and the caller may ask for their erasure.

        A deleted one may: other services keep what they hold of them.
        """
        rows, params = self._reach(REQUEST_ERASURES)
        [found] = self._reader.rows(_REACHED + rows, {**params, "ids": [subject_id]})
        return bool(found.reached)

    def one_with(self, subject_id: UUID) -> set[UUID]:
        """All ids of a person, as far as was told here."""
        return {row.member for row in self._reader.rows(MEMBERS, {"ids": [subject_id]})}

    def in_reach(self, subject_ids: Collection[UUID]) -> bool:
        """Whether the caller may record wishes of all of them.

        Whoever reaches everybody may do it before a person was heard of: registration comes first.
        """
        if self._principal.scope_of(RECORD_CONSENTS) is Scope.ALL:
            return True
        rows, params = self._reach(RECORD_CONSENTS)
        asked = {**params, "ids": list(subject_ids)}
        [found] = self._reader.rows(_REACHED + _STANDING + rows, asked)
        return bool(found.reached == len(subject_ids))

    def _reach(self, permission: str) -> tuple[str, dict[str, Any]]:
        return scope.predicate(self._principal, permission, "p.owner_id", "p.collaborator_ids", OWN)
