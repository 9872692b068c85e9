"""The read side of opportunities and pipelines: one statement an answer, scoped to the principal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.sql import filters, scope, subjects
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute
from sales.store import links
from sales.store.resting import refuse_resting, resting

READ_OPPORTUNITIES = "sales.opportunities.read"

_OPPORTUNITIES = """
    select o.id, o.version, o.customer_id, o.lead_id, o.owner_id, o.pipeline, o.stage, o.status, o.amount,
           o.currency, o.expected_close_on, o.proposal_id, o.loss_reason, o.contract_id, o.created_at,
           o.updated_at,
           coalesce(o.probability, (s.definition ->> 'probability')::int) as probability,
           {resting} as resting
    from opportunities o
    join pipelines p on p.id = o.pipeline
    cross join lateral (
        select d.definition from jsonb_array_elements(p.stages) as d(definition)
        where d.definition ->> 'id' = o.stage
    ) as s
    left join links k on k.customer_id = o.customer_id
    left join customers c on c.customer_id = coalesce(k.survivor_id, o.customer_id)
    where c.deleted is not true and {reached}
"""
_NEWEST_FIRST = " order by o.id desc limit %(limit)s"
_NOBODY = "'00000000-0000-0000-0000-000000000000'"
_ATTRIBUTES = {
    "status": Attribute("o.status", "text"),
    "pipeline": Attribute("o.pipeline", "text"),
    "stage": Attribute("o.stage", "text"),
    "probability": Attribute("coalesce(o.probability, (s.definition ->> 'probability')::int)", "int"),
    "owner_id": Attribute(f"coalesce(o.owner_id, {_NOBODY})", "uuid"),
    "lead_id": Attribute(f"coalesce(o.lead_id, {_NOBODY})", "uuid"),
    "customer_id": Attribute("coalesce(k.survivor_id, o.customer_id)", "uuid", read_as=links.READ_THROUGH),
    "create_time": Attribute("o.created_at", "timestamp"),
}
_PIPELINES = "select id, title, stages from pipelines order by created_at, id limit 200"
_PIPELINE = "select id, title, stages from pipelines where id = %(id)s"
_FUNNEL = """
    with reached as (
        select o.id, o.stage, o.status, o.amount, o.currency from opportunities o
        left join links k on k.customer_id = o.customer_id
        left join customers c on c.customer_id = coalesce(k.survivor_id, o.customer_id)
        where o.pipeline = %(pipeline)s and c.deleted is not true and {reached}
    )
    select s.definition ->> 'id' as stage,
        (select count(*) from reached r
         where r.stage = s.definition ->> 'id' and r.status <> 'lost')::int as present,
        (select count(distinct r.id) from reached r join stage_entries e on e.opportunity_id = r.id
         where e.stage = s.definition ->> 'id')::int as entered,
        array(select row_to_json(sums)::jsonb from (
            select r.currency, sum(r.amount)::text as amount from reached r
            where r.stage = s.definition ->> 'id' and r.status <> 'lost' and r.amount is not null
            group by r.currency order by r.currency) as sums) as amounts,
        (select count(*) from reached r where r.status = 'won')::int as won,
        (select count(*) from reached r where r.status = 'lost')::int as lost
    from pipelines p cross join lateral jsonb_array_elements(p.stages) with ordinality as s(definition, place)
    where p.id = %(pipeline)s order by place
"""


def get_opportunity(reader: Reader, principal: Principal, opportunity_id: UUID) -> Any | None:
    """The row of one opportunity; None when there is none or it is out of reach. Raises SubjectRestricted."""
    reached, params = scope.predicate(principal, READ_OPPORTUNITIES, "o.owner_id")
    sql = _OPPORTUNITIES.format(reached=reached, resting=_resting(principal)) + " and o.id = %(id)s"
    return refuse_resting(reader.row(sql, {**params, "id": opportunity_id}))


def list_opportunities(
    reader: Reader, principal: Principal, filter_: str, after: UUID | None, limit: int
) -> list[Any]:
    """Rows of opportunities in reach that fit `filter_`, newest first, from the one after `after`; without
    those whose data rests."""
    reached, params = scope.predicate(principal, READ_OPPORTUNITIES, "o.owner_id")
    condition, values = filters.compile_filter(
        filter_, lambda path: _ATTRIBUTES.get(path[0]) if len(path) == 1 else None
    )
    rests = _resting(principal)
    sql = f"{_OPPORTUNITIES.format(reached=reached, resting=rests)} and not {rests} and {condition}"
    if after is not None:
        sql += " and o.id < %(after)s"
    return reader.rows(sql + _NEWEST_FIRST, {**params, **values, "after": after, "limit": limit})


def list_pipelines(reader: Reader) -> list[Any]:
    return reader.rows(_PIPELINES)


def get_pipeline(reader: Reader, pipeline: str) -> Any | None:
    return reader.row(_PIPELINE, {"id": pipeline})


def funnel(reader: Reader, principal: Principal, pipeline: str) -> list[Any]:
    """A row for each stage, in order, counting what is in reach."""
    reached, params = scope.predicate(principal, READ_OPPORTUNITIES, "o.owner_id")
    return reader.rows(_FUNNEL.format(reached=reached), {**params, "pipeline": pipeline})


def refuse_restricted(reader: Reader, customer_id: UUID) -> None:
    """Raises SubjectRestricted when the customer's data may not be used now."""
    subjects.refuse_restricted(reader, [customer_id])


def _resting(principal: Principal) -> str:
    return resting(principal, "o.customer_id")
