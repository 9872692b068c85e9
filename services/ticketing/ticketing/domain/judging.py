"""What the rule book makes of a ticket: kind, topic, priority, team and clocks, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from ticketing.domain.clocks import Clock, due_at
from ticketing.domain.rulebook import ClockRule, Facts, Rule, RuleBook, first
from ticketing.domain.ticket import PENDING, Standing, Ticket, facts_of


@dataclass(frozen=True)
class Decision:
    """`what` was decided, the `outcome` ("" for nothing) and why; `facts` as the rules saw them."""

    what: str
    outcome: str
    # "RULE", "DEFAULT", "BY_HAND", …
    reason: str
    rule: str = ""
    rule_version: int = 0
    facts: Facts | None = None


def judge(ticket: Ticket, book: RuleBook, standing: Standing) -> list[Decision]:
    """Sets kind, topic and priority by the rules, except what was set by hand; answers what changed.

    In this order, so that a rule of priority may ask for the kind that was just decided.
    """
    sections: Sequence[tuple[str, tuple[Rule, ...], str]] = (
        ("kind", book.kinds, "consultation"),
        ("topic", book.topics, ""),
        ("priority", book.priorities, "normal"),
    )
    decisions = []
    for what, rules, default in sections:
        if what in ticket.by_hand:
            continue
        facts = facts_of(ticket, standing)
        rule = first(rules, facts)
        outcome = rule.then if rule else default
        if outcome != getattr(ticket, what) or ticket.version == 0:
            setattr(ticket, what, outcome)
            decisions.append(_decision(what, outcome, rule, book, facts))
    return decisions


def route(ticket: Ticket, book: RuleBook, standing: Standing) -> Decision:
    """Which team the rules send a ticket to."""
    facts = facts_of(ticket, standing)
    rule = first(book.routing, facts)
    return _decision("team", rule.then if rule else "", rule, book, facts)


def _decision(what: str, outcome: str, rule: Rule | None, book: RuleBook, facts: Facts) -> Decision:
    reason, name = ("RULE", rule.name) if rule else ("DEFAULT", "")
    return Decision(what, outcome, reason, name, book.version, facts)


@dataclass(frozen=True)
class Agent:
    """Somebody of a team: tickets in hand, and how many they may have; 0 while they are away."""

    user_id: UUID
    load: int
    capacity: int


def least_loaded(agents: Sequence[Agent]) -> Agent | None:
    """The agent with the smallest part of their capacity in hand, then by id; None when all are full."""
    free = [agent for agent in agents if agent.load < agent.capacity]
    return min(free, key=lambda agent: (agent.load / agent.capacity, agent.user_id), default=None)


def wind_clocks(
    ticket: Ticket, book: RuleBook, standing: Standing, zone: ZoneInfo, now: datetime
) -> list[Clock]:
    """Sets the clocks that the ticket must have now and when each is due; answers those that just ran out.

    One whose rule holds no longer is withdrawn, unless it was met or ran out. One that begins later
    than the ticket counts from now.
    """
    facts = facts_of(ticket, standing)
    wanted = {rule.name: rule for rule in book.clocks if rule.holds(facts)}
    held = {clock.name: clock for clock in ticket.clocks}
    for name, rule in wanted.items():
        if name not in held:
            started_at = ticket.opened_at if ticket.version == 0 else now
            ticket.clocks.append(_started(rule, book.version, started_at))
        else:
            held[name].withdrawn_at = None
    for clock in ticket.clocks:
        if clock.name not in wanted and clock.runs and clock.breached_at is None:
            clock.withdrawn_at = now
    return [clock for clock in ticket.clocks if _runs_out(clock, ticket, book, zone, now)]


def _started(rule: ClockRule, version: int, at: datetime) -> Clock:
    return Clock(
        name=rule.name,
        title=rule.title,
        rule_version=version,
        minutes=rule.minutes,
        hours=rule.hours,
        until=rule.until,
        pausing=rule.pausing,
        remind_minutes=rule.remind_minutes,
        started_at=at,
    )


def _runs_out(clock: Clock, ticket: Ticket, book: RuleBook, zone: ZoneInfo, now: datetime) -> bool:
    """Measures a clock anew; whether it ran out since it was last measured.

    Asked late, it still ran out if it was not met when it was due.
    """
    if clock.withdrawn_at is not None:
        return False
    clock.met_at = _met_at(clock, ticket)
    if clock.breached_at is not None:
        return False
    rests = [rest for rest, _ in ticket.rests(now)] if clock.pausing else []
    due = due_at(book.hours(clock.hours, zone), clock.started_at, clock.allowed, rests)
    if due is not None and (due < clock.met_at if clock.met_at else due <= now):
        clock.due_at = clock.breached_at = due
        return True
    stands_still = clock.pausing and ticket.status == PENDING and clock.met_at is None
    clock.due_at = None if stands_still else due
    return False


def _met_at(clock: Clock, ticket: Ticket) -> datetime | None:
    if clock.until == "solved":
        return ticket.solved_at
    if clock.until == "planned":
        return ticket.planned_at
    # Urgent since later than the first answer: it wants an answer of its own.
    if clock.met_at is None and ticket.last_answered_at and ticket.last_answered_at >= clock.started_at:
        return ticket.last_answered_at
    return clock.met_at
