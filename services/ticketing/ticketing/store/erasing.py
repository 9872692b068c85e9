"""Which tickets are a person's, also those that nobody said are theirs; and what goes beside these."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.keyring import Keyring

_NOTE = """
    insert into subject_addresses (subject_id, requester)
    select s, r from unnest(%(ids)s::uuid[]) s, unnest(%(requesters)s::bytea[]) r
    on conflict do nothing
"""
_TICKETS = """
    select id from tickets
    where sealed is not null and (
        customer_id = any(%(ids)s)
        or customer_id is null and requester in (
            select requester from subject_addresses where subject_id = any(%(ids)s)))
    order by id
"""
_FORGET = "delete from subject_addresses where subject_id = any(%(ids)s)"
# Told by the customer service too; but what is told of the erased is not heard any more.
_CUSTOMERS = "update customers set deleted = true where customer_id = any(%(ids)s) and not deleted"
_CLASSES = "delete from classes where customer_id = any(%(ids)s)"


class ErasingRepository:
    def __init__(self, session: Session, keyring: Keyring, blind: BlindIndex) -> None:
        self._connection = session.connection
        self._keyring = keyring
        self._blind = blind

    def note_addresses(self, subject_ids: Collection[UUID], emails: Collection[str]) -> None:
        """Keeps by which addresses a person's tickets are found, as keyed hashes."""
        requesters = [self._blind.token("requester", email) for email in sorted(set(emails))]
        params = {"ids": sorted(set(subject_ids)), "requesters": requesters}
        self._connection().exec_driver_sql(_NOTE, params)

    def tickets_of(self, subject_ids: Collection[UUID]) -> list[UUID]:
        """Ids of a person's tickets that hold words."""
        return list(self._connection().exec_driver_sql(_TICKETS, {"ids": list(subject_ids)}).scalars())

    def classes_of(self, subject_ids: Collection[UUID]) -> int:
        """Forgets how these were classified; answers how many classes that were."""
        return self._connection().exec_driver_sql(_CLASSES, {"ids": list(subject_ids)}).rowcount

    def customers_of(self, subject_ids: Collection[UUID]) -> int:
        """Marks these as deleted; answers how many were not."""
        return self._connection().exec_driver_sql(_CUSTOMERS, {"ids": list(subject_ids)}).rowcount

    def forget_addresses(self, subject_ids: Collection[UUID]) -> None:
        self._connection().exec_driver_sql(_FORGET, {"ids": list(subject_ids)})

    def destroy_keys(self, ticket_ids: Sequence[UUID]) -> int:
        """Destroys the keys that tickets had of their own while nobody was known; answers how many."""
        return self._keyring.destroy(ticket_ids)
