"""Facts the ticketing service tells; the fields are those of crm/ticketing/v1/events.proto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from kernel.pure import erasure
from kernel.pure.events import Event


@dataclass(frozen=True)
class ChangedTicket:
    """The state of one ticket after its change."""

    ticket_id: UUID
    version: int
    number: str
    customer_id: UUID | None
    kind: str
    status: str
    priority: str
    team_id: UUID | None
    assignee_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None
    channel: str
    answered_at: datetime | None


@dataclass(frozen=True)
class TicketsChanged(Event):
    """Up to 500 tickets were opened or changed."""

    type: ClassVar[str] = "crm.ticketing.v1.TicketsChanged"

    tickets: tuple[ChangedTicket, ...]


@dataclass(frozen=True)
class ResponseClockDue(Event):
    """A response clock will soon run out."""

    type: ClassVar[str] = "crm.ticketing.v1.ResponseClockDue"

    ticket_id: UUID
    clock: str
    due_at: datetime
    version: int

    @property
    def subject(self) -> str:
        return str(self.ticket_id)


@dataclass(frozen=True)
class ResponseClockBreached(Event):
    """A response clock ran out."""

    type: ClassVar[str] = "crm.ticketing.v1.ResponseClockBreached"

    ticket_id: UUID
    clock: str
    due_at: datetime
    version: int

    @property
    def subject(self) -> str:
        return str(self.ticket_id)


@dataclass(frozen=True)
class SurveyAnswered(Event):
    """A customer answered one question of a survey: "csat" or "nps"."""

    type: ClassVar[str] = "crm.ticketing.v1.SurveyAnswered"

    survey_id: UUID
    ticket_id: UUID
    customer_id: UUID | None
    kind: str
    score: int
    answered_at: datetime

    @property
    def subject(self) -> str:
        return str(self.ticket_id)


@dataclass(frozen=True)
class SubjectErased(erasure.Receipt):
    """What people said in tickets of theirs is gone; the tickets stay as figures."""

    type: ClassVar[str] = "crm.ticketing.v1.SubjectErased"
