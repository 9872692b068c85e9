"""Rows of tickets and clocks as what the domain knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from ticketing.domain.clocks import Clock, Span
from ticketing.domain.rulebook import RuleBook, read_rule_book
from ticketing.domain.ticket import Pause, Ticket, Words, spans

# Columns whose values are those of the ticket.
PLAIN = (
    "id", "number", "kind", "topic", "priority", "status", "channel", "language", "customer_id", "team_id",
    "assignee_id", "follows_id", "unreadable", "opened_at", "heard_at", "answered_at", "last_answered_at",
    "planned_at", "solved_at", "closed_at",
)  # fmt: skip
CLOCK_COLUMNS = tuple(Clock.__dataclass_fields__)


def ticket_of(row: Any, words: Mapping[str, Any] | None, clocks: Sequence[Any]) -> Ticket:
    """The ticket of its rows; its words are gone when their key was destroyed."""
    return Ticket(
        **{name: getattr(row, name) for name in PLAIN},
        version=row.version,
        erased=row.sealed is None,
        said=tuple(row.said),
        by_hand=frozenset(row.by_hand),
        pauses=[_pause(document) for document in row.pauses],
        words=_words(words or {}),
        clocks=[clock_of(clock) for clock in clocks],
    )


def _words(document: Mapping[str, Any]) -> Words:
    known = {name: value for name, value in document.items() if name in Words.__dataclass_fields__}
    return Words(**{"subject": "", **known})


def clock_of(row: Any) -> Clock:
    return Clock(**{name: getattr(row, name) for name in CLOCK_COLUMNS})


def pauses_of(row: Any, now: datetime) -> list[tuple[Span, str]]:
    """What pausing clocks of a ticket leave out until `now`."""
    return spans([_pause(document) for document in row.pauses], now)


@lru_cache(maxsize=8)
def rule_book_of(version: int, document: str) -> RuleBook:
    """The rule book of a row, its document as JSON text; read once a process."""
    return read_rule_book(version, json.loads(document))


def pause_document(pause: Pause) -> list[str | None]:
    return [pause.start.isoformat(), pause.why, pause.end.isoformat() if pause.end else None]


def _pause(document: Sequence[str | None]) -> Pause:
    start, why, end = document
    return Pause(datetime.fromisoformat(str(start)), str(why), datetime.fromisoformat(end) if end else None)
