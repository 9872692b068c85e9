"""Between the messages of crm.ticketing.v1 and what the use cases and queries know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm.ticketing.v1 import ticket_pb2 as pb
from crm.ticketing.v1 import ticket_service_pb2 as rpc
from kernel.rpc.masking import masked
from ticketing.domain.clocks import Clock, Segment
from ticketing.domain.rulebook import KINDS, PRIORITIES

_STATUSES = ("open", "pending", "resolved", "closed")
_DIRECTIONS = ("from_customer", "to_customer", "note")
_KIND = {f"TICKET_KIND_{kind.upper()}": kind for kind in KINDS}
_PRIORITY = {f"PRIORITY_{priority.upper()}": priority for priority in PRIORITIES}
_DIRECTION = {f"MESSAGE_DIRECTION_{direction.upper()}": direction for direction in _DIRECTIONS}
_WORDS = ("subject", "requester_name", "requester_email", "solution")


def kind(number: int) -> str:
    """ "" for none, and for one of a later version of the contract."""
    return _KIND.get(pb.TicketKind.Name(number), "") if number in pb.TicketKind.values() else ""


def priority(number: int) -> str:
    return _PRIORITY.get(pb.Priority.Name(number), "") if number in pb.Priority.values() else ""


def direction(number: int) -> str:
    known = number in pb.MessageDirection.values()
    return _DIRECTION.get(pb.MessageDirection.Name(number), "") if known else ""


def ticket(row: Any, words: Mapping[str, Any], asked: tuple[Any, Mapping[str, Any]] | None) -> pb.Ticket:
    """A ticket from a row of queries and what was sealed in it, as far as the caller may see it.

    `asked` is the row of its survey and what was sealed in that.
    """
    shown: dict[str, Any] = {name: str(words.get(name, "")) for name in _WORDS}
    masked_fields: list[str] = []
    if not row.clear:
        shown, masked_fields = masked(pb.Ticket, shown)
    return pb.Ticket(
        **shown,
        masked_fields=masked_fields,
        id=str(row.id),
        number=row.number,
        etag=str(row.version),
        customer_id=_text(row.customer_id),
        kind=f"TICKET_KIND_{row.kind.upper()}",
        topic=row.topic,
        status=f"TICKET_STATUS_{row.status.upper()}",
        priority=f"PRIORITY_{row.priority.upper()}",
        channel=row.channel,
        team_id=_text(row.team_id),
        assignee_id=_text(row.assignee_id),
        follows_id=_text(row.follows_id),
        unreadable_reason=row.unreadable,
        next_clock=row.next_clock,
        breached_clocks=row.breached,
        survey=survey(*asked, row.clear) if asked else None,
        **_instants(
            open_time=row.opened_at,
            answer_time=row.answered_at,
            plan_time=row.planned_at,
            solve_time=row.solved_at,
            close_time=row.closed_at,
            update_time=row.updated_at,
            next_due_time=row.next_due_at,
        ),
    )


def survey(row: Any, words: Mapping[str, Any], clear: bool) -> pb.Survey:
    shown: dict[str, Any] = {"comment": str(words.get("comment", ""))}
    if not clear:
        shown, _ = masked(pb.Survey, shown)
    return pb.Survey(
        **shown,
        delivery=f"DELIVERY_{row.delivery.upper()}",
        satisfaction=row.score or 0,
        likelihood=row.likelihood,
        **_instants(ask_time=row.created_at, end_time=row.ends_at, answer_time=row.answered_at),
    )


def message(row: Any, content: str, clear: bool = True) -> pb.Message:
    """A message from a row of queries or of the domain, as far as the caller may see it."""
    shown = {"content": content} if clear else masked(pb.Message, {"content": content})[0]
    return pb.Message(
        **shown,
        id=str(row.id),
        ticket_id=str(row.ticket_id),
        direction=f"MESSAGE_DIRECTION_{row.direction.upper()}",
        channel=row.channel,
        author_id=row.author_id,
        create_time=row.created_at,
        delivery=f"DELIVERY_{row.delivery.upper() or 'UNSPECIFIED'}",
        attachment_count=row.attachment_count,
        automatic=row.automatic,
    )


def clock(told: Clock, counted_seconds: int, segments: list[Segment]) -> rpc.ClockExplanation:
    return rpc.ClockExplanation(
        clock=told.name,
        title=told.title,
        rule_version=told.rule_version,
        state=told.state,
        until=told.until,
        hours=told.hours,
        allowed_minutes=told.minutes,
        counted_seconds=counted_seconds,
        segments=[
            rpc.ClockSegment(start_time=segment.span.start, end_time=segment.span.end, what=segment.what)
            for segment in segments
        ],
        **_instants(
            start_time=told.started_at,
            due_time=told.due_at,
            met_time=told.met_at,
            breach_time=told.breached_at,
        ),
    )


def decision(row: Any) -> rpc.Decision:
    return rpc.Decision(
        decide_time=row.at,
        what=row.what,
        outcome=row.outcome,
        reason=row.reason,
        rule=row.rule,
        rule_version=row.rule_version,
        facts={name: _fact(value) for name, value in row.facts.items()},
    )


def _fact(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _instants(**values: datetime | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text(id: object) -> str:
    return str(id) if id is not None else ""
