"""The read side of the timeline and of relations: one statement an answer, scoped to what the principal
may see, through merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from customer.domain.relation import ENDS
from customer.store import queries
from customer.store.queries import STANDING
from kernel.ops.logs import logger
from kernel.pure.grants import Principal, Scope
from kernel.sql.crypto.errors import KeyringUnavailable
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader

log = logger(__name__)

# The table a sealed document belongs to, which is part of what its seal is bound to; and its only field.
SEALED_IN = "interactions"
CONTENT = "content"

# Whom the answer is about, and all whose facts are told with it.
_GROUP = f"""
    with standing as (
        select c.id, c.kind, {{clear}} as clear from customers c
        where c.id = {STANDING} and c.deleted_at is null and {{reached}}
    ), members as (
        select id from standing
        union all select a.id from customers a join standing on a.survivor_id = standing.id
    )
"""
# Each kind of entry brings no more than a page for each member, along its index. What stands first
# at one instant is decided by rank and key, so that pages meet without a gap. A day begins in the
# business zone.
_ENTRIES = """
    , merged as (
        select m.* from merges m where m.id in (
            select a.id from merges a join members on a.absorbed_id = members.id
            union select s.id from merges s join members on s.survivor_id = members.id
        )
    ), known as (
        select id from members
        union select ends.id
        from merged m cross join lateral (values (m.absorbed_id), (m.survivor_id)) as ends (id)
        join customers e on e.id = ends.id join customers c on c.id = coalesce(e.survivor_id, e.id)
        where c.deleted_at is null and {reached}
    ), entries as (
        select entry.* from members cross join lateral (
            select i.occurred_at as at, 2 as rank, i.id::text collate "C" as key, i.customer_id, i.sealed,
                   jsonb_build_object('id', i.id, 'kind', i.kind, 'channel', i.channel,
                                      'content', i.content, 'actor_id', i.actor_id) as facts
            from interactions i
            where i.customer_id = members.id and i.occurred_at <= %(at)s::timestamptz
              and (i.occurred_at, 2, i.id::text collate "C") < (%(at)s::timestamptz, %(rank)s, %(key)s)
            order by i.occurred_at desc, i.id desc limit %(limit)s
        ) as entry
        union all
        select entry.* from members cross join lateral (
            select o.ordered_on::timestamp at time zone %(zone)s, 1, o.order_id::text collate "C",
                   o.customer_id, null::bytea,
                   jsonb_build_object('order_id', o.order_id, 'ordered_on', o.ordered_on,
                                      'base_amount', o.base_amount::text, 'status', o.status)
            from orders o
            where o.customer_id = members.id
              and o.ordered_on <= (%(at)s::timestamptz at time zone %(zone)s)::date
              and (o.ordered_on::timestamp at time zone %(zone)s, 1, o.order_id::text collate "C")
                  < (%(at)s::timestamptz, %(rank)s, %(key)s)
            order by o.ordered_on desc, o.order_id desc limit %(limit)s
        ) as entry
        union all
        select entry.* from members cross join lateral (
            select k.at, 3, lpad(k.id::text, 19, '0') collate "C", k.customer_id, null::bytea,
                   jsonb_build_object('scheme', k.scheme, 'class', k.class,
                                      'previous_class', k.previous_class)
            from class_changes k
            where k.customer_id = members.id and k.at <= %(at)s::timestamptz
              and (k.at, 3, lpad(k.id::text, 19, '0') collate "C")
                  < (%(at)s::timestamptz, %(rank)s, %(key)s)
            order by k.at desc, k.id desc limit %(limit)s
        ) as entry
        union all
        select entry.* from members cross join lateral (
            select t.opened_at, 5, t.ticket_id::text collate "C", t.customer_id, null::bytea,
                   jsonb_build_object('ticket_id', t.ticket_id, 'number', t.number, 'kind', t.kind,
                                      'status', t.status, 'priority', t.priority, 'channel', t.channel,
                                      'answer_time', t.answered_at, 'close_time', t.closed_at)
            from tickets t
            where t.customer_id = members.id and t.opened_at <= %(at)s::timestamptz
              and (t.opened_at, 5, t.ticket_id::text collate "C")
                  < (%(at)s::timestamptz, %(rank)s, %(key)s)
            order by t.opened_at desc, t.ticket_id desc limit %(limit)s
        ) as entry
        union all
        select m.at, 4, lpad(m.id::text, 19, '0') collate "C",
               case when m.survivor_id in (select id from members) then m.survivor_id else m.absorbed_id end,
               null::bytea,
               jsonb_build_object(
                   'absorbed_id', case when m.absorbed_id in (select id from known) then m.absorbed_id end,
                   'survivor_id', case when m.survivor_id in (select id from known) then m.survivor_id end,
                   'undone', m.undone)
        from merged m
        where (m.at, 4, lpad(m.id::text, 19, '0') collate "C")
              < (%(at)s::timestamptz, %(rank)s, %(key)s)
    )
    select standing.id as standing_id, standing.kind, standing.clear, page.*
    from standing left join (
        select * from entries order by at desc, rank desc, key desc limit %(limit)s
    ) as page on true
    order by page.at desc, page.rank desc, page.key desc
"""
# Before everything: the cursor of the first page.
_FIRST = ("infinity", "0", "")
_RANKS = {1: "order", 2: "interaction", 3: "class_change", 4: "merge", 5: "ticket"}

# Relations that say the same after a merge are one; those within a group say nothing. Of several first
# contacts that a merge brought together, the one named last is the first.
_RELATIONS = """
    , linked as (
        select r.id, r.kind, r.role, r.is_primary, coalesce(f.survivor_id, f.id) as from_id,
               coalesce(t.survivor_id, t.id) as to_id
        from relations r join customers f on f.id = r.from_id join customers t on t.id = r.to_id
        where r.id in (
            select b.id from members join relations b on b.from_id = members.id
            union select e.id from members join relations e on e.to_id = members.id
        )
    ), shown as (
        select distinct on (l.kind, c.id) l.id, l.kind, l.from_id, l.to_id, l.role,
               l.is_primary and not exists (
                   select from relations later join customers t on t.id = later.to_id
                   where later.kind = l.kind and later.is_primary and later.id > l.id
                     and coalesce(t.survivor_id, t.id) = l.to_id
               ) as primary
        from standing join linked l on l.from_id <> l.to_id
        join customers c on c.id = case when l.from_id = standing.id then l.to_id else l.from_id end
        where c.deleted_at is null and {reached}
        order by l.kind, c.id, l.is_primary desc, l.id desc
    )
    select standing.id as standing_id, shown.*
    from standing left join shown on true
    order by array_position(%(kinds)s::text[], shown.kind), shown.primary desc, shown.id
"""


@dataclass(frozen=True)
class Page:
    """Entries of a customer, newest first, and the cursor of the next page or None.

    A row has at, customer_id (under which it was recorded), sealed and facts, by `what` it is.
    `clear` says whether the principal may see words about this customer.
    """

    customer_id: UUID
    clear: bool
    rows: list[Any]
    following: tuple[str, str, str] | None


def what(row: Any) -> str:
    """ "order", "interaction", "class_change", "merge" or "ticket"."""
    return _RANKS[row.rank]


def list_timeline(
    reader: Reader,
    principal: Principal,
    customer_id: UUID,
    cursor: Sequence[str] | None,
    size: int,
    zone: ZoneInfo,
) -> Page | None:
    """Up to `size` entries after the cursor; None when there is no such customer or it is out of scope."""
    reached, params = queries.predicate(principal, queries.READ)
    clear, clear_params = queries.predicate(principal, queries.READ_PERSONAL)
    # Words of staff about customers are not for the customers.
    portal = principal.scope_of(queries.READ) is Scope.SELF
    at, rank, key = cursor or _FIRST
    found = reader.rows(
        (_GROUP + _ENTRIES).format(reached=reached, clear=clear),
        {
            **params,
            **clear_params,
            "id": customer_id,
            "at": at,
            "rank": int(rank),
            "key": key,
            "limit": size + 1,
            "zone": zone.key,
        },
    )
    if not found:
        return None
    standing = found[0]
    rows = [row for row in found if row.key is not None][:size]
    following = None
    if len(found) > size:
        following = (rows[-1].at.isoformat(), str(rows[-1].rank), rows[-1].key)
    clear_words = not portal and (standing.clear or standing.kind == "company")
    return Page(standing.standing_id, clear_words, rows, following)


def open_contents(sealer: Sealer, rows: Sequence[Any]) -> list[str]:
    """The words of each row of a page, in order; "" where there are none or their key is gone.

    While the keyring is away, a timeline goes without words.
    """
    try:
        documents = sealer.open_page(
            SEALED_IN,
            [
                (UUID(row.facts["id"]) if row.sealed is not None else "", row.customer_id, row.sealed)
                for row in rows
            ],
        )
    except KeyringUnavailable:
        log.warning("contents not readable", entries=len(rows))
        documents = [None] * len(rows)
    return [
        document[CONTENT] if document else row.facts.get("content") or ""
        for row, document in zip(rows, documents, strict=True)
    ]


def list_relations(reader: Reader, principal: Principal, customer_id: UUID) -> list[Any] | None:
    """Rows of a customer's relations to others in scope, by kind, first contacts first; None when there
    is no such customer or it is out of scope."""
    reached, params = queries.predicate(principal, queries.READ)
    found = reader.rows(
        (_GROUP + _RELATIONS).format(reached=reached, clear="false"),
        {**params, "id": customer_id, "kinds": list(ENDS)},
    )
    return [row for row in found if row.id is not None] if found else None
