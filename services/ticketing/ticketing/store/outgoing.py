"""What is to go out by mail, read with all that its letter needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader
from ticketing.store.queries import MESSAGES_SEALED_IN, TICKETS_SEALED_IN
from ticketing.store.reach import RESTING

_OUTGOING = f"""
    select m.id, m.sealed_for, m.sealed, t.id as ticket_id, t.number, t.customer_id,
           t.sealed_for as ticket_sealed_for, t.sealed as ticket_sealed, {RESTING} as resting
    from messages m join tickets t on t.id = m.ticket_id
    where m.id = %(id)s and m.delivery = 'queued'
"""
_SURVEY = f"""
    select s.id, s.ends_at, t.id as ticket_id, t.number, t.customer_id, t.language,
           t.sealed_for as ticket_sealed_for, t.sealed as ticket_sealed, {RESTING} as resting
    from surveys s join tickets t on t.id = s.ticket_id
    where s.id = %(id)s and s.delivery = 'queued'
"""
# The last mail of the customer: the one that this answers.
_HEARD = """
    select id, sealed_for, sealed from messages
    where ticket_id = %(ticket_id)s and direction = 'from_customer' and channel = 'email' and not automatic
      and id < %(id)s
    order by id desc limit 1
"""


@dataclass(frozen=True)
class Outgoing:
    message_id: UUID
    ticket_id: UUID
    number: str
    customer_id: UUID | None
    requester_email: str
    subject: str
    content: str
    # Message-ID of the mail that it answers.
    mail_id: str
    # Whether its customer may not be written to now.
    resting: bool


def get_outgoing(reader: Reader, sealer: Sealer, message_id: UUID) -> Outgoing | None:
    """A message that waits to go out; None when it no longer does, or was erased."""
    row = reader.row(_OUTGOING, {"id": message_id})
    if row is None:
        return None
    heard = reader.row(_HEARD, {"id": message_id, "ticket_id": row.ticket_id})
    said = sealer.open(MESSAGES_SEALED_IN, row.id, row.sealed_for, row.sealed)
    words = sealer.open(TICKETS_SEALED_IN, row.ticket_id, row.ticket_sealed_for, row.ticket_sealed)
    if said is None or words is None:
        return None
    answered = sealer.open(MESSAGES_SEALED_IN, heard.id, heard.sealed_for, heard.sealed) if heard else None
    return Outgoing(
        message_id=row.id,
        ticket_id=row.ticket_id,
        number=row.number,
        customer_id=row.customer_id,
        requester_email=words["requester_email"],
        subject=words["subject"],
        content=said["content"],
        mail_id=(answered or {}).get("mail_id", ""),
        resting=bool(row.resting),
    )


@dataclass(frozen=True)
class Question:
    """A survey that is to go out."""

    survey_id: UUID
    ticket_id: UUID
    number: str
    customer_id: UUID | None
    requester_email: str
    subject: str
    language: str
    ends_at: datetime
    resting: bool


def get_question(reader: Reader, sealer: Sealer, survey_id: UUID) -> Question | None:
    """A survey that waits to go out; None when it no longer does, or was erased."""
    row = reader.row(_SURVEY, {"id": survey_id})
    words = row and sealer.open(TICKETS_SEALED_IN, row.ticket_id, row.ticket_sealed_for, row.ticket_sealed)
    if row is None or words is None:
        return None
    return Question(
        survey_id=row.id,
        ticket_id=row.ticket_id,
        number=row.number,
        customer_id=row.customer_id,
        requester_email=words["requester_email"],
        subject=words["subject"],
        language=row.language,
        ends_at=row.ends_at,
        resting=bool(row.resting),
    )
