"""The read side of leads: one statement an answer, scoped to what the principal may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.ops.logs import logger
from kernel.pure.grants import Principal
from kernel.sql import filters, scope
from kernel.sql.crypto.errors import KeyringUnavailable
from kernel.sql.crypto.sealing import Sealer
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute
from sales.store import links
from sales.store.resting import refuse_resting, resting

log = logger(__name__)

READ_LEADS = "sales.leads.read"
# Words about people are shown as they are, or masked.
READ_PERSONAL = "sales.personal.read"

# The tables sealed documents belong to, which is part of what their seals are bound to.
SEALED_IN = "leads"
FOLLOW_UPS_SEALED_IN = "follow_ups"

# A deleted customer's leads are out of sight; whose customer it is, the one decides that it was merged into.
_LEADS = """
    select l.id, l.version, l.customer_id, l.status, l.score, l.owner_id, l.source_channel, l.industry,
           l.province, l.city, l.sealed, l.opportunity_id, l.followed_at, l.created_at, l.updated_at,
           {clear} as clear, {resting} as resting
    from leads l left join links k on k.customer_id = l.customer_id
    left join customers c on c.customer_id = coalesce(k.survivor_id, l.customer_id)
    where c.deleted is not true and {reached}
"""
_NEWEST_FIRST = " order by l.id desc limit %(limit)s"
_BEST_FIRST = " order by l.score desc, l.id limit %(limit)s"
# Whoever has no profile, or one without provinces, sees all of the pool.
IN_MY_PROVINCES = """
    not exists (select from sellers s where s.user_id = %(me)s and s.provinces <> '{}'
                and not l.province = any(s.provinces))
"""
_ATTRIBUTES = {
    "status": Attribute("l.status", "text"),
    "score": Attribute("l.score", "int"),
    "owner_id": Attribute("coalesce(l.owner_id, '00000000-0000-0000-0000-000000000000')", "uuid"),
    "customer_id": Attribute("coalesce(k.survivor_id, l.customer_id)", "uuid", read_as=links.READ_THROUGH),
    "source_channel": Attribute("l.source_channel", "text"),
    "industry": Attribute("l.industry", "text"),
    "province": Attribute("l.province", "text"),
    "city": Attribute("l.city", "text"),
    "create_time": Attribute("l.created_at", "timestamp"),
}
_SCORE = """
    select rules_version, score, inputs, reasons, created_at from lead_scores
    where lead_id = %(id)s order by id desc limit 1
"""
_ASSIGNMENTS = """
    select owner_id, way, matched, candidates, equals, passed_over, created_at from lead_assignments
    where lead_id = %(id)s order by id desc limit 200
"""
_FOLLOW_UPS = """
    select f.id, f.lead_id, f.customer_id, f.actor_id, f.method, f.occurred_at, f.sealed, f.remind_at
    from follow_ups f
    where f.lead_id = %(id)s and (f.occurred_at, f.id) < (%(at)s::timestamptz, %(key)s)
    order by f.occurred_at desc, f.id desc limit %(limit)s
"""
_REMINDERS = """
    select r.id, r.lead_id, r.user_id, r.kind, r.due_at, r.raised_at
    from reminders r join leads l on l.id = r.lead_id
    where {reached} and not {resting} and (not %(raised)s or r.raised_at is not null)
      and (r.due_at, r.id) > (%(at)s::timestamptz, %(key)s)
    order by r.due_at, r.id limit %(limit)s
"""
_SELLERS = """
    select s.user_id, s.provinces, s.industries, s.capacity, s.absent_from, s.absent_until,
           (select count(*) from leads l where l.owner_id = s.user_id and l.status <> 'closed')::int as held
    from sellers s order by s.user_id
"""
_RULES = """
    select version, document, created_at,
           version = (select version from lead_rules where activated_at is not null
                      order by activated_at desc, version desc limit 1) as in_force
    from lead_rules order by in_force desc, version desc limit 100
"""
_FORMS = "select id, title, source_channel, key, created_at from lead_forms order by id desc limit 1000"
_ONE_WITH_CUSTOMER = links.ONE_WITH.format("l.customer_id")
# What is known of the lead `l`: what was recorded for it, and what its customer did besides.
FACTS_OF = f"""
    select kind, key, value, occurred_at from lead_facts where lead_id = l.id
    union all
    select kind, key, value, occurred_at from customer_facts
    where customer_id = any({_ONE_WITH_CUSTOMER})
"""
_SAMPLE = f"""
    select l.id, l.score, l.industry, l.province, l.city, l.source_channel,
           coalesce((select jsonb_agg(jsonb_build_array(f.kind, f.key, f.value, f.occurred_at))
                     from ({FACTS_OF}) as f), '[]') as facts
    from leads l where l.status <> 'closed' order by l.id desc limit %(limit)s
"""


def get_lead(reader: Reader, principal: Principal, lead_id: UUID) -> Any | None:
    """The row of one lead; None when there is none or it is out of reach. One of the pool is in the reach
    of whoever sees the pool. Raises SubjectRestricted."""
    reached, params = _reached(principal)
    if principal.scope_of("sales.pool.read") is not None:
        reached = f"({reached} or (l.owner_id is null and {IN_MY_PROVINCES}))"
        params["me"] = principal.user_id
    sql = _leads(principal, reached, params) + " and l.id = %(id)s"
    return refuse_resting(reader.row(sql, {**params, "id": lead_id}))


def list_leads(
    reader: Reader, principal: Principal, filter_: str, after: UUID | None, limit: int
) -> list[Any]:
    """Rows of leads in reach that fit `filter_`, newest first, from the one after `after`; without those
    whose data rests. Raises Invalid."""
    reached, params = _reached(principal)
    condition, values = filters.compile_filter(
        filter_, lambda path: _ATTRIBUTES.get(path[0]) if len(path) == 1 else None
    )
    sql = f"{_leads(principal, reached, params)} and not {_resting(principal)} and {condition}"
    if after is not None:
        sql += " and l.id < %(after)s"
    return reader.rows(sql + _NEWEST_FIRST, {**params, **values, "after": after, "limit": limit})


def list_pool(reader: Reader, principal: Principal, after: tuple[int, UUID] | None, limit: int) -> list[Any]:
    """Rows of open leads that nobody owns, in the principal's provinces, best first."""
    params: dict[str, Any] = {"me": principal.user_id, "limit": limit}
    usable = f"not {_resting(principal)} and {IN_MY_PROVINCES}"
    condition = f"l.owner_id is null and l.status <> 'closed' and {usable}"
    sql = _leads(principal, condition, params)
    if after is not None:
        sql += " and (l.score < %(score)s or (l.score = %(score)s and l.id > %(after)s))"
        params["score"], params["after"] = after
    return reader.rows(sql + _BEST_FIRST, params)


def latest_score(reader: Reader, lead_id: UUID) -> Any:
    """The row of a lead's present score."""
    return reader.row(_SCORE, {"id": lead_id})


def assignments(reader: Reader, lead_id: UUID) -> list[Any]:
    """Rows of decisions whose the lead is, newest first."""
    return reader.rows(_ASSIGNMENTS, {"id": lead_id})


def list_follow_ups(
    reader: Reader, lead_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """Rows of a lead's follow-ups, newest first, from the one after (occurred_at, id)."""
    at, key = after or ("infinity", UUID(int=0))
    return reader.rows(_FOLLOW_UPS, {"id": lead_id, "at": at, "key": key, "limit": limit})


def list_reminders(
    reader: Reader, principal: Principal, raised: bool, after: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """Rows of reminders of users in reach, earliest first, from the one after (due_at, id)."""
    reached, params = scope.predicate(principal, READ_LEADS, "r.user_id")
    at, key = after or ("-infinity", UUID(int=0))
    params |= {"raised": raised, "at": at, "key": key, "limit": limit}
    return reader.rows(_REMINDERS.format(reached=reached, resting=_resting(principal)), params)


def list_sellers(reader: Reader) -> list[Any]:
    """Rows of all sellers with a profile."""
    return reader.rows(_SELLERS)


def list_rules(reader: Reader) -> list[Any]:
    """Rows of versions of the rules: the one in force, then the others, newest first."""
    return reader.rows(_RULES)


def list_forms(reader: Reader) -> list[Any]:
    return reader.rows(_FORMS)


def sample(reader: Reader, limit: int) -> list[Any]:
    """Rows of the newest open leads with their facts, for trying rules."""
    return reader.rows(_SAMPLE, {"limit": limit})


def open_words(sealer: Sealer, table: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The words of each row of a page, in order; none where their key is gone, or the keyring is away."""
    try:
        documents = sealer.open_page(table, [(row.id, row.customer_id, row.sealed) for row in rows])
    except KeyringUnavailable:
        log.warning("words not shown, keyring away", table=table, rows=len(rows))
        return [{} for _ in rows]
    return [document or {} for document in documents]


def _reached(principal: Principal) -> tuple[str, dict[str, Any]]:
    return scope.predicate(principal, READ_LEADS, "l.owner_id")


def _leads(principal: Principal, reached: str, params: dict[str, Any]) -> str:
    """The query of leads in reach; adds the parameters of what is shown in clear."""
    clear, more = scope.predicate(principal, READ_PERSONAL, "l.owner_id")
    params.update(more)
    return _LEADS.format(clear=clear, resting=_resting(principal), reached=reached)


def _resting(principal: Principal) -> str:
    return resting(principal, "l.customer_id")
