"""The read side: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.pure.errors import Invalid, Violation
from kernel.pure.grants import Principal
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute, compile_filter
from ticketing.store.reach import RESTING, predicate

READ = "ticketing.tickets.read"
READ_MESSAGES = "ticketing.messages.read"
# Shows as it is what people said and who they are, which others see masked.
READ_PERSONAL = "ticketing.personal.read"
TICKETS_SEALED_IN = "tickets"
MESSAGES_SEALED_IN = "messages"
SURVEYS_SEALED_IN = "surveys"

_ATTRIBUTES = {
    "status": Attribute("t.status", "text"),
    "kind": Attribute("t.kind", "text"),
    "topic": Attribute("t.topic", "text"),
    "priority": Attribute("t.priority", "text"),
    "channel": Attribute("t.channel", "text"),
    "team_id": Attribute("coalesce(t.team_id, '00000000-0000-0000-0000-000000000000')", "uuid"),
    "assignee_id": Attribute("coalesce(t.assignee_id, '00000000-0000-0000-0000-000000000000')", "uuid"),
    "breached": Attribute("(t.breached <> '{}')", "bool"),
    "open_time": Attribute("t.opened_at", "timestamp"),
    # Where no clock runs it is due last.
    "next_due_time": Attribute("coalesce(t.next_due_at, 'infinity')", "timestamp"),
}
NEWEST, MOST_PRESSING = "open_time desc", "next_due_time"
_ORDERS = {
    NEWEST: ("t.opened_at desc, t.id desc", "(t.opened_at, t.id) < (%(after_at)s, %(after_id)s)"),
    MOST_PRESSING: (
        "t.next_due_at, t.id",
        "t.next_due_at is not null and (t.next_due_at, t.id) > (%(after_at)s, %(after_id)s)",
    ),
}
_TICKETS = "select t.*, {clear} as clear, {resting} as resting from tickets t where {in_scope} and "
# Whoever is read through the same customer as %(customer)s.
_GROUP = """
    select linked.customer_id, linked.survivor_id from links linked
    where linked.survivor_id = coalesce(
        (select survivor_id from links where customer_id = %(customer)s), %(customer)s)
"""
_MESSAGES = """
    select m.*, {clear} as clear from messages m join tickets t on t.id = m.ticket_id
    where {in_scope} and t.id = %(id)s and (m.created_at, m.id) > (%(after_at)s, %(after_id)s)
    order by m.created_at, m.id limit %(limit)s
"""
_CLOCKS = "select k.* from clocks k where k.ticket_id = %(id)s order by k.due_at nulls last, k.name"
_DECISIONS = "select d.* from decisions d where d.ticket_id = %(id)s order by d.id desc limit 100"
_SURVEYS = """
    select s.id, s.ticket_id, s.created_at, s.ends_at, s.delivery, s.answered_at, s.score, s.likelihood,
           s.sealed_for, s.sealed
    from surveys s where s.ticket_id = any(%(ids)s) and s.kind = 'csat'
"""
_FORMS = "select id, title, key, created_at from ticket_forms order by created_at desc, id limit %(limit)s"
_RULE_BOOK = "select version, document::text as document, published_at, actor_id from rule_books"
_AGENTS = """
    select s.user_id, s.team_id, a.capacity, coalesce(a.away, false) as away,
           (select count(*) from tickets t where t.assignee_id = s.user_id
            and t.status in ('open', 'pending'))::int as load
    from staff s left join agents a using (user_id)
    where {condition}
"""
_OF_TEAM = """
    not s.disabled and s.user_id > %(after)s
      and case when %(team)s::uuid is null then a.user_id is not null else s.team_id = %(team)s end
    order by s.user_id limit %(limit)s
"""


def get_ticket(reader: Reader, principal: Principal, ticket_id: UUID) -> Any | None:
    """The row of one ticket; None when there is none or it is out of scope. `clear` of a row says whether
    the principal may see what people said, `resting` that nobody may now."""
    return _first(_select(reader, principal, "t.id = %(id)s", {"id": ticket_id}))


def just_written(reader: Reader, principal: Principal, ticket_id: UUID) -> Any:
    """The row of a ticket that the principal has changed in this transaction, given away perhaps."""
    clear, params = predicate(principal, READ_PERSONAL)
    sql = f"select t.*, {clear} as clear from tickets t where t.id = %(id)s"
    return reader.row(sql, {**params, "id": ticket_id})


def list_tickets(
    reader: Reader,
    principal: Principal,
    filter_text: str,
    order_by: str,
    customer_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Any]:
    """Rows of tickets in scope; in the order of MOST_PRESSING those of which a clock runs.

    Raises Invalid naming filter or order_by.
    """
    if order_by not in _ORDERS:
        known = ", ".join(_ORDERS)
        raise Invalid.of(
            Violation("order_by", "ORDER_BY", f"must be one of: {known}", f"必须是其中之一：{known}")
        )
    condition, params = compile_filter(filter_text, lambda path: _ATTRIBUTES.get(".".join(path)))
    columns, later = _ORDERS[order_by]
    if order_by == MOST_PRESSING:
        condition += " and t.next_due_at is not null"
    if customer_id is not None:
        links = reader.rows(_GROUP, {"customer": customer_id})
        condition += " and t.customer_id = any(%(customers)s)"
        params["customers"] = list({customer_id, *(one for row in links for one in row if one)})
    condition += f" and {RESTING} is not true"
    if after is not None:
        condition += f" and {later}"
        params["after_at"], params["after_id"] = after
    return _select(reader, principal, f"{condition} order by {columns} limit {limit:d}", params)


def _select(reader: Reader, principal: Principal, condition: str, params: dict[str, Any]) -> list[Any]:
    """Every read of tickets goes through here, so that none forgets the scope."""
    in_scope, scope_params = predicate(principal, READ)
    clear, clear_params = predicate(principal, READ_PERSONAL)
    sql = _TICKETS.format(clear=clear, in_scope=in_scope, resting=RESTING) + condition
    return reader.rows(sql, {**params, **scope_params, **clear_params})


def list_messages(
    reader: Reader, principal: Principal, ticket_id: UUID, after: tuple[datetime, UUID], limit: int
) -> list[Any]:
    """Rows of a ticket's messages in scope, oldest first."""
    in_scope, params = predicate(principal, READ_MESSAGES)
    clear, clear_params = predicate(principal, READ_PERSONAL)
    params |= {**clear_params, "id": ticket_id, "after_at": after[0], "after_id": after[1], "limit": limit}
    return reader.rows(_MESSAGES.format(clear=clear, in_scope=in_scope), params)


def list_clocks(reader: Reader, ticket_id: UUID) -> list[Any]:
    """Of a ticket that the principal was shown."""
    return reader.rows(_CLOCKS, {"id": ticket_id})


def list_decisions(reader: Reader, ticket_id: UUID) -> list[Any]:
    """The newest 100 of a ticket that the principal was shown."""
    return reader.rows(_DECISIONS, {"id": ticket_id})


def surveys_of(reader: Reader, ticket_ids: Sequence[UUID]) -> list[Any]:
    """Of tickets that the principal was shown."""
    return reader.rows(_SURVEYS, {"ids": list(ticket_ids)})


def get_rule_book(reader: Reader, version: int) -> Any | None:
    """A version of the rule book; the newest for 0."""
    if version:
        return reader.row(_RULE_BOOK + " where version = %(version)s", {"version": version})
    return reader.row(_RULE_BOOK + " order by version desc limit 1")


def list_rule_books(reader: Reader, limit: int) -> list[Any]:
    """The newest versions, the one in force first."""
    return reader.rows(_RULE_BOOK + " order by version desc limit %(limit)s", {"limit": limit})


def list_forms(reader: Reader, limit: int) -> list[Any]:
    """The newest forms."""
    return reader.rows(_FORMS, {"limit": limit})


def get_agent(reader: Reader, user_id: UUID) -> Any | None:
    """A member of staff as an agent."""
    return reader.row(_AGENTS.format(condition="s.user_id = %(user)s"), {"user": user_id})


def list_agents(reader: Reader, team_id: UUID | None, after: UUID, limit: int) -> list[Any]:
    """The agents of a team; without one, all of whom something is said."""
    return reader.rows(_AGENTS.format(condition=_OF_TEAM), {"team": team_id, "after": after, "limit": limit})


def open_words(sealer: Sealer, table: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What was sealed in each row; empty where its key was destroyed."""
    opened = sealer.open_page(table, [(row.id, row.sealed_for, row.sealed) for row in rows])
    return [document or {} for document in opened]


def _first(rows: list[Any]) -> Any | None:
    return rows[0] if rows else None
