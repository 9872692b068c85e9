"""Tickets and their clocks as rows. What people said is sealed under the customer's key."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.pure.errors import StaleEtag
from kernel.pure.grants import Principal, PrincipalKind
from kernel.sql import timers
from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.subjects import SubjectRestricted
from ticketing.domain.errors import TicketErased, TicketNotFound
from ticketing.domain.linking import Candidate
from ticketing.domain.ticket import Ticket
from ticketing.store.reach import RESTING, predicate
from ticketing.store.rows import CLOCK_COLUMNS, PLAIN, pause_document, ticket_of
from ticketing.usecases.ports import CLOCK_TIMER, CLOSE_TIMER

SEALED_IN = "tickets"
_COLUMNS = (
    "id", "number", "version", "kind", "topic", "priority", "status", "channel", "language", "said",
    "customer_id", "sealed_for", "sealed", "requester", "team_id", "assignee_id", "follows_id", "unreadable",
    "by_hand", "pauses", "opened_at", "heard_at", "answered_at", "last_answered_at", "planned_at",
    "solved_at", "closed_at", "next_due_at", "next_clock", "breached", "updated_at",
)  # fmt: skip
_VALUES = ", ".join(f"%({name})s" for name in _COLUMNS)
_KEEP = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("id", "number"))
_NAMES = ", ".join(_COLUMNS)
_SAVE = (
    f"insert into tickets as held ({_NAMES}) values ({_VALUES})"
    f" on conflict (id) do update set {_KEEP} where held.version = excluded.version - 1 returning version"
)
_CLOCK_VALUES = ", ".join(f"%({name})s" for name in CLOCK_COLUMNS)
_CLOCK_KEEP = ", ".join(f"{name} = excluded.{name}" for name in CLOCK_COLUMNS if name != "name")
_CLOCK_NAMES = ", ".join(CLOCK_COLUMNS)
_SAVE_CLOCK = (
    f"insert into clocks (ticket_id, {_CLOCK_NAMES}) values (%(ticket_id)s, {_CLOCK_VALUES})"
    f" on conflict (ticket_id, name) do update set {_CLOCK_KEEP}"
)
_LEND = f"select t.*, coalesce({RESTING}, false) as resting from tickets t where t.id = %(id)s and "
_CLOCKS = "select * from clocks where ticket_id = %(id)s order by started_at, name"
_ALONE = "select pg_advisory_xact_lock(hashtextextended(%(key)s, 0))"
_NUMBER = "select nextval('ticket_numbers')"
_OF_CUSTOMER = """
    select id, kind, topic, heard_at from tickets
    where customer_id = any(%(customers)s) and status <> 'closed' and unreadable = ''
    order by heard_at desc limit 50
"""
_OF_REQUESTER = """
    select id, kind, topic, heard_at from tickets
    where requester = %(requester)s and customer_id is null and status <> 'closed' and unreadable = ''
    order by heard_at desc limit 50
"""
_NEWEST = "select * from tickets order by opened_at desc, id desc limit %(limit)s"
# Tickets of a team that nobody has in hand, in the order in which they are given out.
_WAITING = """
    select id from tickets
    where team_id = %(team)s and assignee_id is null and status in ('open', 'pending')
    order by array_position(array['urgent', 'high', 'normal', 'low'], priority),
             next_due_at nulls last, opened_at
    limit 100
"""


class TicketRepository:
    def __init__(
        self, session: Session, principal: Principal, sealer: Sealer, blind: BlindIndex, now: datetime
    ) -> None:
        self._session = session
        self._principal = principal
        self._sealer = sealer
        self._blind = blind
        self._now = now

    def next_number(self) -> str:
        return f"T{self._session.connection().exec_driver_sql(_NUMBER).scalar_one():08}"

    def lend(self, ticket_id: UUID, permission: str, etag: str = "") -> Ticket:
        """The ticket, locked until the end of the transaction.

        Raises TicketNotFound, TicketErased or StaleEtag; people are refused one that rests with
        SubjectRestricted, while its clocks run on.
        """
        in_scope, params = predicate(self._principal, permission)
        ticket, rests = self._lent(ticket_id, in_scope, params)
        if ticket.erased:
            raise TicketErased
        if rests and self._principal.kind is not PrincipalKind.SERVICE:
            raise SubjectRestricted
        if etag and etag != str(ticket.version):
            raise StaleEtag
        return ticket

    def lend_to_join(self, ticket_id: UUID) -> Ticket:
        """The same for what a customer says, whoever has the ticket in hand. Raises TicketNotFound."""
        return self._lent(ticket_id, "true", {})[0]

    def _lent(self, ticket_id: UUID, condition: str, params: Mapping[str, Any]) -> tuple[Ticket, bool]:
        """The ticket, and whether it rests."""
        for kind in (CLOCK_TIMER, CLOSE_TIMER):
            timers.hold(self._session, kind, [str(ticket_id)])
        row = self._rows(f"{_LEND} {condition} for update of t", {**params, "id": ticket_id}).first()
        if row is None:
            raise TicketNotFound
        words = self._sealer.open_page(SEALED_IN, [(row.id, row.sealed_for, row.sealed)])[0]
        return ticket_of(row, words, self._rows(_CLOCKS, {"id": ticket_id}).all()), row.resting

    def save(self, ticket: Ticket) -> None:
        """Keeps the ticket under its next version, and sets its timers. Raises StaleEtag or SubjectErased."""
        ticket.version += 1
        if self._rows(_SAVE, self._row(ticket)).first() is None:
            raise StaleEtag
        for clock in ticket.clocks:
            self._rows(_SAVE_CLOCK, {"ticket_id": ticket.id, **vars(clock)})
        self._set_timers(ticket)

    def to_join(self, customer_ids: Collection[UUID], requester_email: str) -> list[Candidate]:
        """The tickets not closed of these customers; of nobody known, those of the same address.

        Whoever asks is alone with these until the end of the transaction: two at once would each find
        nothing to join.
        """
        if customer_ids:
            self._alone(min(customer_ids).hex)
            rows = self._rows(_OF_CUSTOMER, {"customers": list(customer_ids)})
        elif requester_email:
            requester = self._requester(requester_email)
            self._alone(requester.hex())
            rows = self._rows(_OF_REQUESTER, {"requester": requester})
        else:
            return []
        return [Candidate(row.id, row.kind, row.topic, row.heard_at) for row in rows.all()]

    def _alone(self, with_whom: str) -> None:
        self._rows(_ALONE, {"key": f"concerns:{with_whom}"})

    def newest(self, limit: int) -> list[Ticket]:
        """The tickets opened last, without what people said; to be looked at and not to be saved."""
        rows = self._rows(_NEWEST, {"limit": limit}).all()
        return [ticket_of(row, None, ()) for row in rows]

    def waiting(self, team_id: UUID) -> list[UUID]:
        """Ids of the team's tickets that nobody has in hand, the most urgent first; at most 100."""
        return [row.id for row in self._rows(_WAITING, {"team": team_id}).all()]

    def _row(self, ticket: Ticket) -> dict[str, Any]:
        # What was erased is never sealed again: there is no key any more.
        sealed = (
            None
            if ticket.erased
            else self._sealer.seal(SEALED_IN, ticket.id, ticket.subject_id, vars(ticket.words))
        )
        strictest, email = ticket.next_clock, ticket.words.requester_email
        return {
            **{name: getattr(ticket, name) for name in PLAIN},
            "version": ticket.version,
            "said": list(ticket.said),
            "by_hand": sorted(ticket.by_hand),
            "pauses": json.dumps([pause_document(pause) for pause in ticket.pauses]),
            "sealed_for": ticket.subject_id,
            "sealed": sealed,
            "requester": self._requester(email) if email and ticket.customer_id is None else None,
            "next_due_at": strictest.due_at if strictest else None,
            "next_clock": strictest.name if strictest else "",
            "breached": [clock.name for clock in ticket.clocks if clock.breached_at is not None],
            "updated_at": self._now,
        }

    def _requester(self, email: str) -> bytes:
        return self._blind.token("requester", email)

    def _set_timers(self, ticket: Ticket) -> None:
        wakes = [at for clock in ticket.clocks if (at := clock.wakes_at()) is not None]
        if wakes and ticket.is_active:
            timers.schedule(self._session, [timers.Timer(CLOCK_TIMER, str(ticket.id), min(wakes))])
        else:
            timers.cancel(self._session, CLOCK_TIMER, [str(ticket.id)])

    def _rows(self, sql: str, params: Mapping[str, Any]) -> Any:
        return self._session.connection().exec_driver_sql(sql, params)
