"""Leads on a real database; the customer service is a stand-in that is there or away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from kernel.jobs.timers import fire_due
from kernel.pure.clock import FixedClock
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.channel import PeerUnavailable
from kernel.sql import staff
from sales.domain.assignment import Seller
from sales.domain.lead import Contact, Lead, LeadDraft
from sales.jobs.leads import remind, return_leads
from sales.usecases.ports import REMIND, RETURN_LEAD
from sales.usecases.take_leads import take_lead
from sales.wiring import SalesApp

SERVICE = Principal.service("sales")
_RIGHTS = (
    "sales.leads.read", "sales.leads.create", "sales.leads.update", "sales.leads.assign",
    "sales.personal.read",
)  # fmt: skip


def user(scope: Scope = Scope.OWN, user_id: UUID | None = None) -> Principal:
    """Somebody who works with leads as far as `scope` reaches, and with the pool."""
    pool = {"sales.pool.read": Scope.ALL, "sales.pool.claim": Scope.ALL}
    grants = {**dict.fromkeys(_RIGHTS, scope), **pool}
    return Principal(PrincipalKind.USER, str(user_id or new_id()), grants)


class StandIn:
    """Answers for the customer service: the same contact is the same customer."""

    def __init__(self) -> None:
        self.away = False
        self.known: dict[Contact, UUID] = {}
        self.owners: list[UUID | None] = []

    def resolve(self, request_id: UUID, draft: LeadDraft, owner_id: UUID | None) -> UUID:
        if self.away:
            raise PeerUnavailable(service="customer")
        assert draft.contact is not None
        self.owners.append(owner_id)
        return self.known.setdefault(draft.contact, new_id())


class Desk:
    """What tests do with leads."""

    def __init__(self, app: SalesApp, clock: FixedClock) -> None:
        self.app, self.clock, self.people = app, clock, StandIn()

    def hire(self, number: int = 1, **profile: Any) -> list[UUID]:
        """Sellers whom the directory knows, with a profile each."""
        ids = [new_id() for _ in range(number)]
        with self.app.work(SERVICE) as work:
            staff.record_users(work.session, [(user_id, 1, None, False) for user_id in ids])
            for user_id in ids:
                values = {"provinces": (), "industries": (), "capacity": 100, **profile}
                work.sellers.put(Seller(user_id, **values))
        return ids

    def take(self, principal: Principal = SERVICE, **changed: Any) -> Lead:
        with self.app.work(principal) as work:
            return take_lead(work, self.people, draft(**changed))

    def pass_to(self, instant: datetime) -> None:
        """Time passes; what is due by then happens."""
        self.clock.instant = instant
        while fire_due(self.app, {RETURN_LEAD: return_leads, REMIND: remind}, instant):
            continue

    def row(self, lead_id: UUID) -> Any:
        return self.app.reader.row("select * from leads where id = %(id)s", {"id": lead_id})

    def ways(self, lead_id: UUID) -> list[str]:
        """How the lead came to its owners, oldest first."""
        sql = "select way from lead_assignments where lead_id = %(id)s order by id"
        return [row.way for row in self.app.reader.rows(sql, {"id": lead_id})]


def draft(**changed: Any) -> LeadDraft:
    contact = Contact(full_name="欧阳建国", phones=("13800138000",))
    told = LeadDraft("百度SEM", "零售", "上海市", "上海市", "需要二十套系统", contact=contact)
    return replace(told, **changed)


@pytest.fixture
def desk(app: SalesApp, clock: FixedClock) -> Desk:
    return Desk(app, clock)
