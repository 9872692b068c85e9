"""Several consultations of one customer are one ticket (T-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ticketing.domain.rulebook import Linking


@dataclass(frozen=True)
class Candidate:
    """A ticket of the same customer that is not closed."""

    ticket_id: UUID
    kind: str
    topic: str
    heard_at: datetime


def ticket_to_join(
    kind: str, topic: str, at: datetime, candidates: Sequence[Candidate], linking: Linking
) -> UUID | None:
    """The ticket that what a customer says at an instant belongs to: the one they spoke to last that fits.

    A topic that the words don't tell fits any.
    """
    fitting = [
        candidate
        for candidate in candidates
        if candidate.heard_at + linking.window > at
        and (not linking.same_kind or candidate.kind == kind)
        and (not linking.same_topic or not topic or not candidate.topic or candidate.topic == topic)
    ]
    last = max(fitting, key=lambda candidate: (candidate.heard_at, candidate.ticket_id), default=None)
    return last.ticket_id if last else None
