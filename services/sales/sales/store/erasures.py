"""Erasing what is held of persons, and remembering what must be kept a while."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

# By the table whose rows are counted; in an order that no reference forbids.
_ERASE = {
    # Told by the customer service too; but what is told of the erased is not heard any more.
    "customers": """
        update customers set deleted = true, collaborator_ids = '{}'
        where customer_id = any(%(ids)s) and not deleted
    """,
    "follow_ups": "delete from follow_ups where customer_id = any(%(ids)s)",
    "lead_facts": """
        delete from lead_facts f using leads l where l.id = f.lead_id and l.customer_id = any(%(ids)s)
    """,
    "customer_facts": "delete from customer_facts where customer_id = any(%(ids)s)",
    "leads": "update leads set sealed = null where customer_id = any(%(ids)s) and sealed is not null",
    "opportunities": """
        update opportunities set proposal_id = null
        where customer_id = any(%(ids)s) and proposal_id is not null
    """,
    "document_chunks": """
        delete from document_chunks c using documents d
        where d.id = c.document_id and d.customer_id = any(%(ids)s) and d.key_class = 'operational'
    """,
    "documents": "delete from documents where customer_id = any(%(ids)s) and key_class = 'operational'",
}
_ERASE_CONTRACTS = {
    "contracts": """
        update contracts set document_id = null, signed_at = null, sealed = ''
        where customer_id = any(%(ids)s) and sealed <> ''
    """,
    "contract_chunks": """
        delete from document_chunks c using documents d
        where d.id = c.document_id and d.customer_id = any(%(ids)s) and d.key_class = 'contract'
    """,
    "contract_documents": "delete from documents where customer_id = any(%(ids)s) and key_class = 'contract'",
}
_ERASE_UNSIGNED = {
    "contracts": """
        update contracts set sealed = ''
        where customer_id = any(%(ids)s) and document_id is null and sealed <> ''
    """,
}
_RETAIN = """
    insert into retained_contracts (customer_id, kept_until)
    select unnest(%(ids)s::uuid[]), %(until)s
    on conflict (customer_id) do update set kept_until = excluded.kept_until
"""
_DUE = """
    delete from retained_contracts where customer_id in (
        select customer_id from retained_contracts where kept_until < %(today)s
        order by customer_id limit %(limit)s for update skip locked
    ) returning customer_id
"""


class ErasureRepository:
    def __init__(self, session: Session) -> None:
        self._run = session.connection

    def erase(self, customer_ids: Collection[UUID]) -> dict[str, int]:
        """Erases all but contracts; answers how many rows of which table."""
        return self._count(_ERASE, customer_ids)

    def erase_contracts(self, customer_ids: Collection[UUID]) -> dict[str, int]:
        """Erases what contracts say, and their documents."""
        return self._count(_ERASE_CONTRACTS, customer_ids)

    def erase_unsigned(self, customer_ids: Collection[UUID]) -> dict[str, int]:
        """Erases what contracts say that were never signed."""
        return self._count(_ERASE_UNSIGNED, customer_ids)

    def retain(self, customer_ids: Collection[UUID], until: date) -> None:
        """Keeps contracts, out of use, until the end of a day."""
        self._run().exec_driver_sql(_RETAIN, {"ids": list(customer_ids), "until": until})

    def due(self, today: date, limit: int) -> list[UUID]:
        """Whose contracts need not be kept any more; they are forgotten to be retained."""
        return list(self._run().exec_driver_sql(_DUE, {"today": today, "limit": limit}).scalars())

    def _count(self, statements: dict[str, str], customer_ids: Collection[UUID]) -> dict[str, int]:
        ids = {"ids": list(customer_ids)}
        counted = {
            table: self._run().exec_driver_sql(statement, ids).rowcount
            for table, statement in statements.items()
        }
        return {table: count for table, count in counted.items() if count}
