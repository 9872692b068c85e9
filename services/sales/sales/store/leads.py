"""Leads as rows; what they need, in words, is sealed under the customer's key."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.sql import scope, timers
from kernel.sql.crypto.sealing import Sealer
from sales.domain.assignment import Assignment
from sales.domain.errors import LeadNotFound, LeadTaken
from sales.domain.lead import Lead, LeadStatus
from sales.domain.scoring import Fact, Score
from sales.store.lead_queries import FACTS_OF, IN_MY_PROVINCES, SEALED_IN
from sales.usecases.ports import RETURN_LEAD

_COLUMNS = """
    l.id, l.version, l.customer_id, l.status, l.score, l.owner_id, l.source_channel, l.industry, l.province,
    l.city, l.sealed, l.opportunity_id, l.assigned_at, l.followed_at, l.close_reason, l.created_at
"""
_INSERT = """
    insert into leads (id, version, customer_id, status, score, owner_id, source_channel, industry, province,
                       city, sealed, opportunity_id, assigned_at, followed_at, close_reason, created_at,
                       updated_at)
    values (%(id)s, %(version)s, %(customer_id)s, %(status)s, %(score)s, %(owner_id)s, %(source_channel)s,
            %(industry)s, %(province)s, %(city)s, %(sealed)s, %(opportunity_id)s, %(assigned_at)s,
            %(followed_at)s, %(close_reason)s, %(created_at)s, %(now)s)
"""
# Words never change after the lead came in.
_UPDATE = """
    update leads set version = %(version)s, status = %(status)s, score = %(score)s, owner_id = %(owner_id)s,
        opportunity_id = %(opportunity_id)s, assigned_at = %(assigned_at)s, followed_at = %(followed_at)s,
        close_reason = %(close_reason)s, updated_at = %(now)s
    where id = %(id)s
"""
_LEND = f"select {_COLUMNS} from leads l where l.id = %(id)s"
_LOCK = " for no key update of l"
_OPEN = """
    select id from leads where status <> 'closed' and (%(after)s::uuid is null or id > %(after)s)
    order by id limit %(limit)s
"""
_OF = "select id from leads where customer_id = any(%(ids)s) order by id"
_OPEN_OF = "select id from leads where customer_id = any(%(ids)s) and status <> 'closed' order by id"
_LEAD_OF = "select lead_id from opportunities where id = %(id)s and lead_id is not null"
_HOLD = "select from leads where id = any(%(ids)s) order by id for no key update"
_CLOCKED = "select from timers where kind = %(kind)s and key = %(key)s"
_CLAIM_ALONE = "select pg_advisory_xact_lock(hashtextextended('claims of ' || %(user)s, 0))"
_ADD_FACT = """
    insert into lead_facts (lead_id, kind, key, value, occurred_at) values (%s, %s, %s, %s, %s)
    on conflict do nothing
"""
# Customers in order, so that handlers can't deadlock.
_ADD_CUSTOMER_FACTS = """
    insert into customer_facts (customer_id, kind, key, value, occurred_at)
    select * from unnest(%(customers)s::uuid[], %(kinds)s::text[], %(keys)s::text[], %(values)s::int[],
                         %(instants)s::timestamptz[]) as told (customer_id, kind, key, value, occurred_at)
    order by 1, 2, 3
    on conflict do nothing
    returning customer_id
"""
_FACTS = f"""
    select f.kind, f.key, f.value, f.occurred_at from leads l cross join lateral ({FACTS_OF}) as f
    where l.id = %(id)s
"""
_NOTE_SCORE = """
    insert into lead_scores (lead_id, rules_version, score, inputs, reasons, created_at)
    values (%(lead_id)s, %(rules_version)s, %(score)s, %(inputs)s::jsonb, %(reasons)s::jsonb, %(now)s)
"""
_NOTE_ASSIGNMENT = """
    insert into lead_assignments (lead_id, owner_id, way, matched, candidates, equals, passed_over,
                                  created_at)
    values (%(lead_id)s, %(owner_id)s, %(way)s, %(matched)s::text[], %(candidates)s, %(equals)s,
            %(passed_over)s::jsonb, %(now)s)
"""
# Whoever had the lead before it was taken from them.
_OWNERS_BEFORE = """
    select distinct before.owner_id from lead_assignments a
    cross join lateral (
        select owner_id from lead_assignments b where b.lead_id = a.lead_id and b.id < a.id
        order by b.id desc limit 1
    ) as before
    where a.lead_id = %(id)s and a.way = 'returned' and before.owner_id is not null
"""
_CLAIMS = """
    select count(*) from lead_assignments
    where owner_id = %(user)s and way = 'claim' and created_at >= %(since)s
"""


class LeadRepository:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, now: datetime) -> None:
        self._session = session
        self._run = session.connection
        self._principal = principal
        self._sealer = sealer
        self._now = now

    def add(self, lead: Lead) -> None:
        """Stores a new lead."""
        sealed = None
        if lead.requirement:
            sealed = self._sealer.seal(
                SEALED_IN, lead.id, lead.customer_id, {"requirement": lead.requirement}
            )
        self._run().exec_driver_sql(_INSERT, {**self._row(lead), "sealed": sealed})

    def lend(self, lead_id: UUID, permission: str, *, pool: bool = False) -> Lead:
        """The lead, locked, if the principal's grant of `permission` reaches its owner, or it lies in the
        public pool and `pool` says that the grant reaches there.

        Raises LeadNotFound.
        """
        in_reach, params = scope.predicate(self._principal, permission, "l.owner_id")
        if pool and self._principal.scope_of(permission) is not None:
            in_reach = f"({in_reach} or l.owner_id is null)"
        return self._lent(lead_id, in_reach, params)

    def lend_of(self, opportunity_id: UUID) -> Lead | None:
        """The lead an opportunity came of, locked, whoever owns it; None when it came otherwise."""
        # It never changes.
        lead_id = self._run().exec_driver_sql(_LEAD_OF, {"id": opportunity_id}).scalar()
        return self._lent(lead_id, "true", {}) if lead_id is not None else None

    def hold(self, lead_ids: Collection[UUID]) -> None:
        """Locks leads and their clocks; whoever works on several holds all of them first."""
        # Clocks first: one that goes off holds its row before it comes to the lead.
        timers.hold(self._session, RETURN_LEAD, [str(lead_id) for lead_id in lead_ids])
        self._run().exec_driver_sql(_HOLD, {"ids": list(lead_ids)})

    def clocked(self, lead_id: UUID) -> bool:
        """Whether the clock runs that takes the lead from its owner."""
        params = {"kind": RETURN_LEAD, "key": str(lead_id)}
        return self._run().exec_driver_sql(_CLOCKED, params).first() is not None

    def claim_alone(self, user_id: UUID) -> None:
        """Waits for other claims of the user, which count for the same limits."""
        self._run().exec_driver_sql(_CLAIM_ALONE, {"user": str(user_id)})

    def lend_from_pool(self, lead_id: UUID) -> Lead:
        """A lead of the public pool, locked. Raises LeadNotFound, or LeadTaken when it is owned by now."""
        condition = IN_MY_PROVINCES
        params = {"id": lead_id, "me": self._principal.user_id}
        row = self._run().exec_driver_sql(f"{_LEND} and {condition} {_LOCK}", params).first()
        if row is None or row.status == LeadStatus.CLOSED:
            raise LeadNotFound
        if row.owner_id is not None:
            raise LeadTaken
        return self._lead(row)

    def open_after(self, after: UUID | None, limit: int) -> list[UUID]:
        """Ids of open leads, in their order, from the one after `after`."""
        return list(self._run().exec_driver_sql(_OPEN, {"after": after, "limit": limit}).scalars())

    def open_of(self, customer_ids: Collection[UUID]) -> list[UUID]:
        """Ids of the open leads of customers; all of their leads are locked."""
        ids = {"ids": list(customer_ids)}
        self.hold(self._run().exec_driver_sql(_OF, ids).scalars().all())
        return list(self._run().exec_driver_sql(_OPEN_OF, ids).scalars())

    def save(self, lead: Lead) -> None:
        self._run().exec_driver_sql(_UPDATE, self._row(lead))

    def add_facts(self, lead_id: UUID, facts: Sequence[Fact]) -> None:
        """Notes facts that are new by their keys."""
        rows = [(lead_id, fact.kind, fact.key, fact.value, fact.at) for fact in facts]
        self._run().exec_driver_sql(_ADD_FACT, rows)

    def add_customer_facts(self, told: Sequence[tuple[UUID, Fact]]) -> set[UUID]:
        """Notes facts of customers that are new by their keys; answers of whom there was news."""
        params = {
            "customers": [customer_id for customer_id, _ in told],
            "kinds": [fact.kind for _, fact in told],
            "keys": [fact.key for _, fact in told],
            "values": [fact.value for _, fact in told],
            "instants": [fact.at for _, fact in told],
        }
        return set(self._run().exec_driver_sql(_ADD_CUSTOMER_FACTS, params).scalars())

    def facts(self, lead_id: UUID) -> list[Fact]:
        """Those of the lead, and those of its customer under whichever merged id."""
        rows = self._run().exec_driver_sql(_FACTS, {"id": lead_id}).all()
        return [Fact(row.kind, row.key, row.value, row.occurred_at) for row in rows]

    def note_score(self, lead_id: UUID, rules_version: int, score: Score) -> None:
        params = {
            "lead_id": lead_id,
            "rules_version": rules_version,
            "score": score.score,
            "inputs": json.dumps(dict(score.inputs), ensure_ascii=False),
            "reasons": json.dumps(score.reasons, ensure_ascii=False),
            "now": self._now,
        }
        self._run().exec_driver_sql(_NOTE_SCORE, params)

    def note_assignment(self, lead_id: UUID, assignment: Assignment) -> None:
        params = {
            "lead_id": lead_id,
            "owner_id": assignment.owner_id,
            "way": assignment.way,
            "matched": list(assignment.matched),
            "candidates": assignment.candidates,
            "equals": assignment.equals,
            "passed_over": json.dumps(dict(assignment.passed_over)),
            "now": self._now,
        }
        self._run().exec_driver_sql(_NOTE_ASSIGNMENT, params)

    def owners_before(self, lead_id: UUID) -> list[UUID]:
        """From whom the lead was taken for not following it up."""
        return list(self._run().exec_driver_sql(_OWNERS_BEFORE, {"id": lead_id}).scalars())

    def claims_since(self, user_id: UUID, since: datetime) -> int:
        params = {"user": user_id, "since": since}
        return int(self._run().exec_driver_sql(_CLAIMS, params).scalar_one())

    def _row(self, lead: Lead) -> dict[str, Any]:
        return {**vars(lead), "status": lead.status.value, "now": self._now}

    def _lent(self, lead_id: UUID, condition: str, params: dict[str, Any]) -> Lead:
        timers.hold(self._session, RETURN_LEAD, [str(lead_id)])
        found = self._run().exec_driver_sql(f"{_LEND} and {condition} {_LOCK}", {**params, "id": lead_id})
        row = found.first()
        if row is None:
            raise LeadNotFound
        return self._lead(row)

    def _lead(self, row: Any) -> Lead:
        """The lead in a row; without its words, which nothing asks for that changes a lead."""
        return Lead(
            id=row.id,
            version=row.version,
            customer_id=row.customer_id,
            status=LeadStatus(row.status),
            score=row.score,
            owner_id=row.owner_id,
            source_channel=row.source_channel,
            industry=row.industry,
            province=row.province,
            city=row.city,
            requirement="",
            opportunity_id=row.opportunity_id,
            assigned_at=row.assigned_at,
            followed_at=row.followed_at,
            close_reason=row.close_reason,
            created_at=row.created_at,
        )
