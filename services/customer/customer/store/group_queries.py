"""The read side of groups. Definitions are the enterprise's; members are in scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customer.domain.groups import DELETED
from customer.store import finding, queries
from customer.store.finding import Question
from customer.store.group_rules import STANDS, Today, inputs, selection
from customer.store.queries import STANDING
from kernel.pure.grants import Principal, Scope
from kernel.sql.engine import Reader

MOST_SAMPLES = 20

_GROUPS = f"""
    select g.id, g.version, g.name, g.description, g.expression, g.rule_version, g.state, g.created_at,
           g.updated_at, {{members}} as members
    from groups g where g.state <> '{DELETED}' and {{condition}}
"""
_MEMBERS_IN_SCOPE = """
    (select count(*)::int from group_members m join customers c on c.id = m.customer_id
     where m.group_id = g.id and m.member and {in_scope})
"""
_AUDIENCE = f"""
    select g.state, m.customer_id
    from groups g left join lateral (
        select customer_id from group_members
        where group_id = g.id and member and (%(after)s::uuid is null or customer_id > %(after)s)
        order by customer_id limit %(limit)s
    ) m on true
    where g.id = %(id)s and g.state <> '{DELETED}' order by m.customer_id
"""
_PREVIEW = f"""
    with chosen as (select c.id from customers c {{joins}} where {STANDS} and {{condition}})
    select (select count(*)::int from chosen) as members,
           array(select id from chosen order by id desc limit {MOST_SAMPLES}) as samples
"""
_EXPLAIN = f"""
    select c.id, coalesce(m.member, false) as member, m.since, m.rule_version, {{inputs}} as inputs
    from customers c {{joins}}
    left join group_members m on m.group_id = %(group_id)s and m.customer_id = c.id
    where c.id = {STANDING} and {STANDS} and {{in_scope}}
"""


def get_group(reader: Reader, principal: Principal, group_id: UUID) -> Any | None:
    found = _groups(reader, principal, "g.id = %(id)s", {"id": group_id})
    return found[0] if found else None


def list_groups(reader: Reader, principal: Principal, before: UUID | None, limit: int) -> list[Any]:
    """Newest first."""
    condition = "(%(before)s::uuid is null or g.id < %(before)s) order by g.id desc limit %(limit)s"
    return _groups(reader, principal, condition, {"before": before, "limit": limit})


def members(group_id: UUID) -> Question:
    """The members of a group, as a question about customers."""
    condition = "c.id in (select customer_id from group_members where group_id = %(group_id)s and member)"
    return finding.listing("", "", False).narrowed(condition, {"group_id": group_id})


def preview(reader: Reader, principal: Principal, expression: str, today: Today) -> tuple[int, list[UUID]]:
    """How many of the customers in scope an expression selects now, and the newest of them."""
    chosen = selection([expression], today, "expression")
    in_scope, params = queries.predicate(principal, queries.READ)
    condition = f"{in_scope} and {chosen.conditions[0]}"
    sql = _PREVIEW.format(joins=chosen.joins, condition=condition)
    row = reader.row(sql, {**chosen.params, **params})
    assert row is not None
    return int(row.members), list(row.samples)


def explain(reader: Reader, principal: Principal, group: Any, customer_id: UUID, today: Today) -> Any | None:
    """Whether a customer is a member, since when, by which rule, and what the rule of a row of groups asks
    for; None when the customer is not to be seen."""
    in_scope, params = queries.predicate(principal, queries.READ)
    columns, joins = inputs(group.expression)
    sql = _EXPLAIN.format(inputs=columns, joins=joins, in_scope=in_scope)
    return reader.row(sql, {**today.params(), "group_id": group.id, "id": customer_id, **params})


def audience(reader: Reader, group_id: UUID, after: UUID | None, limit: int) -> Sequence[Any]:
    """(state, customer_id) of the members after a customer; customer_id is None where there are none, no
    row where there is no group."""
    return reader.rows(_AUDIENCE, {"id": group_id, "after": after, "limit": limit})


def _groups(reader: Reader, principal: Principal, condition: str, params: dict[str, Any]) -> list[Any]:
    members, scope_params = "g.members", dict[str, Any]()
    if principal.scope_of(queries.READ) is not Scope.ALL:
        in_scope, scope_params = queries.predicate(principal, queries.READ)
        members = _MEMBERS_IN_SCOPE.format(in_scope=in_scope)
    sql = _GROUPS.format(members=members, condition=condition)
    return reader.rows(sql, {**params, **scope_params})
