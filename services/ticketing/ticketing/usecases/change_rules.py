"""Rule books are tried and published; agents are told how much they may have in hand (T-09, T-10)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.pure.errors import Checks, Invalid, StaleEtag, Violation
from ticketing.domain.errors import UnknownAgent
from ticketing.domain.judging import judge, route
from ticketing.domain.rule_document import read_document
from ticketing.domain.rulebook import RuleBook, read_rule_book
from ticketing.usecases.ports import GIVE_OUT, Work

_MOST_TRIED = 200
_MOST_CAPACITY = 1_000
_DECIDED = ("kind", "topic", "priority")


def publish_rule_book(work: Work, text: str, base_version: int) -> RuleBook:
    """Puts a document in force. Raises Invalid naming every place that breaks a rule, or StaleEtag."""
    held = work.rule_books.current_alone()
    if base_version and base_version != held.version:
        raise StaleEtag
    book = _read(work, held.version + 1, text)
    work.rule_books.publish(book.version, book.document, work.principal.id)
    work.audit("publish", "rule_book", book.version)
    return book


@dataclass(frozen=True)
class TriedChange:
    ticket_id: UUID
    what: str
    before: str
    after: str


def try_rule_book(work: Work, text: str) -> tuple[int, list[TriedChange]]:
    """How many of the newest tickets were looked at, and what a document would change of them.

    Their words are not read again: which lists they stand in was noted. Raises Invalid.
    """
    book = _read(work, 1, text)
    tickets = work.tickets.newest(_MOST_TRIED)
    changes: list[TriedChange] = []
    for ticket in tickets:
        standing = work.customers.standing(ticket.customer_id)
        before = {name: getattr(ticket, name) for name in _DECIDED}
        judge(ticket, book, standing)
        after = {name: getattr(ticket, name) for name in _DECIDED}
        if "team" not in ticket.by_hand:
            before["team"] = str(ticket.team_id or "")
            after["team"] = route(ticket, book, standing).outcome
        changes += [
            TriedChange(ticket.id, name, before[name], after[name])
            for name in before
            if before[name] != after[name]
        ]
    return len(tickets), changes


def update_agent(work: Work, user_id: UUID, capacity: int | None, away: bool) -> None:
    """Raises Invalid or UnknownAgent. What waits for the team is given out anew."""
    checks = Checks()
    if capacity is not None and not 0 <= capacity <= _MOST_CAPACITY:
        checks.refuse(
            "agent.capacity", "NUMBER", f"must be 0 to {_MOST_CAPACITY}", f"必须是 0 到 {_MOST_CAPACITY}"
        )
    checks.raise_if_any()
    found, team_id = work.agents.team_of(user_id)
    if not found:
        raise UnknownAgent
    work.agents.save(user_id, capacity, away)
    if team_id is not None:
        work.defer(GIVE_OUT, team_id=team_id)
    work.audit("update", "agent", user_id, capacity=capacity, away=away)


def _read(work: Work, version: int, text: str) -> RuleBook:
    try:
        book = read_rule_book(version, read_document(text))
    except Invalid as error:
        raise error.within("document") from None
    teams = {rule.name: UUID(rule.then) for rule in book.routing}
    known = work.agents.teams(teams.values())
    unknown = [name for name, team_id in teams.items() if team_id not in known]
    if unknown:
        raise Invalid.of(
            *(
                Violation(f"document.routing.{name}", "TEAM", "there is no such team", "没有该团队")
                for name in unknown
            )
        )
    return book
