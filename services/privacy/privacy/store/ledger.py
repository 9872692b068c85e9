"""Whether the ledger of consents is what was recorded: each event against its fingerprint in the audit.

Whoever owns the database can change rows; the chain of the audit they can't rewrite unseen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from kernel.sql.engine import Reader
from privacy.domain.consents import fingerprint
from privacy.store.consents import said_of

_SEALED = "service = 'privacy' and action = 'record_consent'"
_EVENT = "(facts::jsonb->>'event')::uuid"
_PAGE = f"""
    select e.*, s.facts::jsonb->>'sha256' as told, s.facts is not null as sealed
    from (select * from consent_events where id > %(after)s order by id limit %(limit)s) e
    left join lateral (
        select facts from sealed_entries where {_SEALED} and {_EVENT} = e.id limit 1
    ) s on true
    order by e.id
"""
_LOST = f"""
    select {_EVENT} as id from sealed_entries s
    where {_SEALED} and not exists (
        select from consent_events e where e.id = (s.facts::jsonb->>'event')::uuid
    )
    order by 1 limit 1
"""
_STEP = 1_000
# A row is sealed within a second and told within minutes; with the broker away it takes longer.
_SEALED_WITHIN = timedelta(hours=24)


class LedgerFault(NamedTuple):
    """The first event that is not what was recorded, and why."""

    event_id: UUID
    why: str


def first_fault(reader: Reader, now: datetime) -> LedgerFault | None:
    """Walks the ledger: ALTERED since it was recorded, ADDED without having been, or DELETED."""
    lost = reader.row(_LOST)
    if lost is not None:
        return LedgerFault(lost.id, "DELETED")
    after = UUID(int=0)
    while rows := reader.rows(_PAGE, {"after": after, "limit": _STEP}):
        for row in rows:
            why = _fault(row, now)
            if why:
                return LedgerFault(row.id, why)
        after = rows[-1].id
    return None


def _fault(row: Any, now: datetime) -> str:
    if not row.sealed:
        return "ADDED" if row.recorded_at < now - _SEALED_WITHIN else ""
    # The id of the person is not in the row, and not needed for its fingerprint.
    said = said_of(row, UUID(int=0))
    found = fingerprint(said, bytes(row.subject_ref), (row.actor_kind, row.actor_id), row.recorded_at)
    return "" if row.told in (None, found) else "ALTERED"
