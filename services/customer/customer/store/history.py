"""Versions of customers: each change appends the state it produced, and is never changed itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from customer.domain.customer import Company, Customer
from customer.store.queries import VERSIONS_SEALED_IN
from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.prepared import Statement
from kernel.sql.uow import OpenReader

_APPEND = """
    insert into customer_versions
        (customer_id, version, at, actor_id, action, changed_fields, profile, sealed)
    values (%(customer_id)s, %(version)s, %(at)s, %(actor_id)s, %(action)s, %(changed_fields)s::text[],
            %(profile)s::jsonb, %(sealed)s)
"""


class History:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, now: datetime) -> None:
        self._statements = OpenReader(session)
        self._actor_id = principal.id
        self._sealer = sealer
        self._now = now

    def append(
        self, customers: Sequence[Customer], action: str, changed_fields: Collection[str] = ()
    ) -> None:
        """Keeps the state of customers as their newest version. Their version numbers are new."""
        self._statements.run(*self.appending(customers, action, changed_fields))

    def appending(
        self, customers: Sequence[Customer], action: str, changed_fields: Collection[str] = ()
    ) -> list[Statement]:
        """The statements of `append`."""
        return [(_APPEND, row) for row in self.rows(customers, action, changed_fields)]

    def rows(
        self, customers: Sequence[Customer], action: str, changed_fields: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """The rows that `append` inserts."""
        persons = [c for c in customers if not isinstance(c.profile.details, Company)]
        documents = ((f"{c.id}/{c.version}", c.id, c.profile.details.document()) for c in persons)
        seals = self._sealer.seal_many(VERSIONS_SEALED_IN, documents)
        sealed = dict(zip((c.id for c in persons), seals, strict=True))
        return [
            {
                "customer_id": customer.id,
                "version": customer.version,
                "at": self._now,
                "actor_id": self._actor_id,
                "action": action,
                "changed_fields": list(changed_fields),
                "profile": json.dumps(_clear_part(customer), ensure_ascii=False),
                "sealed": sealed.get(customer.id),
            }
            for customer in customers
        ]


def _clear_part(customer: Customer) -> dict[str, Any]:
    """What queries.get_customer_as_of reads of a state, beside the sealed document."""
    profile = customer.profile
    company = profile.details.document() if isinstance(profile.details, Company) else None
    return {
        "owner_id": str(customer.owner_id),
        "company": company,
        "external_ids": [[known.source, known.value] for known in profile.external_ids],
        "source_channel": profile.source_channel,
        "industry": profile.industry,
        "province": profile.province,
        "city": profile.city,
        "tags": profile.tags,
        "collaborator_ids": [str(user_id) for user_id in profile.collaborator_ids],
        "deleted_at": customer.deleted_at.isoformat() if customer.deleted_at else None,
    }
