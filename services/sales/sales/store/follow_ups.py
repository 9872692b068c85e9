"""Follow-ups, whose words are sealed under the customer's key, and reminders, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from sales.domain.follow_up import FollowUp, Reminder
from sales.domain.lead import Lead
from sales.store.lead_queries import FOLLOW_UPS_SEALED_IN

_ADD = """
    insert into follow_ups (id, lead_id, customer_id, actor_id, method, occurred_at, sealed, remind_at,
                            created_at)
    values (%(id)s, %(lead_id)s, %(customer_id)s, %(actor_id)s, %(method)s, %(occurred_at)s, %(sealed)s,
            %(remind_at)s, %(now)s)
"""
_REMIND = "insert into reminders (id, lead_id, user_id, kind, due_at) values (%s, %s, %s, %s, %s)"
_OF = "select id from reminders where lead_id = %(lead)s order by id"
_FORGET = "delete from reminders where lead_id = %(lead)s"
_RAISE = "update reminders set raised_at = %(now)s where id = any(%(ids)s) and raised_at is null"


class FollowUpRepository:
    def __init__(self, session: Session, principal: Principal, sealer: Sealer, now: datetime) -> None:
        self._run = session.connection
        self._principal = principal
        self._sealer = sealer
        self._now = now

    def add(self, follow_up_id: UUID, lead: Lead, follow_up: FollowUp) -> None:
        words = follow_up.words()
        params = {
            "id": follow_up_id,
            "lead_id": lead.id,
            "customer_id": lead.customer_id,
            "actor_id": self._principal.id,
            "method": follow_up.method,
            "occurred_at": follow_up.occurred_at,
            "sealed": self._sealer.seal(FOLLOW_UPS_SEALED_IN, follow_up_id, lead.customer_id, words),
            "remind_at": follow_up.remind_at,
            "now": self._now,
        }
        self._run().exec_driver_sql(_ADD, params)

    def remind(self, reminders: Sequence[Reminder]) -> None:
        rows = [(r.id, r.lead_id, r.user_id, r.kind, r.due_at) for r in reminders]
        if rows:
            self._run().exec_driver_sql(_REMIND, rows)

    def reminders_of(self, lead_id: UUID) -> list[UUID]:
        """Ids of the reminders of a lead."""
        return list(self._run().exec_driver_sql(_OF, {"lead": lead_id}).scalars())

    def forget_reminders(self, lead_id: UUID) -> None:
        self._run().exec_driver_sql(_FORGET, {"lead": lead_id})

    def raise_reminders(self, ids: Collection[UUID]) -> None:
        self._run().exec_driver_sql(_RAISE, {"ids": list(ids), "now": self._now})
