"""The read side of contracts and their templates, scoped to the principal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal
from kernel.sql import filters, scope, subjects
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute
from sales.store import links
from sales.store.resting import refuse_resting, resting

READ_CONTRACTS = "sales.contracts.read"
DOWNLOAD_CONTRACTS = "sales.contracts.download"
# The table sealed variables belong to, which is part of what their seals are bound to.
SEALED_IN = "contracts"

_CONTRACTS = """
    select t.id, t.version, t.number, t.customer_id, t.opportunity_id, t.owner_id, t.template_id,
           t.template_version, t.status, t.starts_on, t.ends_on, t.lines, t.currency, t.total, t.document_id,
           coalesce(d.size, 0) as size, t.signed_at, t.renewed_by, t.created_at, {resting} as resting
    from contracts t left join documents d on d.id = t.document_id
    left join links k on k.customer_id = t.customer_id
    left join customers c on c.customer_id = coalesce(k.survivor_id, t.customer_id)
    where c.deleted is not true and {reached}
"""
_NEWEST_FIRST = " order by t.id desc limit %(limit)s"
_NOBODY = "'00000000-0000-0000-0000-000000000000'"
_ATTRIBUTES = {
    "status": Attribute("t.status", "text"),
    "number": Attribute("t.number", "text"),
    "owner_id": Attribute(f"coalesce(t.owner_id, {_NOBODY})", "uuid"),
    "opportunity_id": Attribute(f"coalesce(t.opportunity_id, {_NOBODY})", "uuid"),
    "customer_id": Attribute("coalesce(k.survivor_id, t.customer_id)", "uuid", read_as=links.READ_THROUGH),
    "create_time": Attribute("t.created_at", "timestamp"),
}
# Of one who was erased, what the law has us keep is not for use.
_KEPT = "exists (select from retained_contracts r where r.customer_id = t.customer_id)"
_RETAINED = "select 1 from retained_contracts where customer_id = %(id)s"
_TEMPLATES = """
    select distinct on (id) id, version, title, clauses, variables from contract_templates
    order by id, version desc limit 500
"""


def get_contract(
    reader: Reader, principal: Principal, contract_id: UUID, permission: str = READ_CONTRACTS
) -> Any | None:
    """The row of one contract; None when there is none or it is out of reach of `permission`.

    Raises SubjectRestricted.
    """
    reached, params = scope.predicate(principal, permission, "t.owner_id")
    sql = _CONTRACTS.format(reached=reached, resting=_resting(principal)) + " and t.id = %(id)s"
    return refuse_resting(reader.row(sql, {**params, "id": contract_id}))


def list_contracts(
    reader: Reader, principal: Principal, filter_: str, after: UUID | None, limit: int
) -> list[Any]:
    """Rows of contracts in reach that fit `filter_`, newest first, from the one after `after`; without
    those whose data rests."""
    reached, params = scope.predicate(principal, READ_CONTRACTS, "t.owner_id")
    condition, values = filters.compile_filter(
        filter_, lambda path: _ATTRIBUTES.get(path[0]) if len(path) == 1 else None
    )
    rests = _resting(principal)
    sql = f"{_CONTRACTS.format(reached=reached, resting=rests)} and not {rests} and {condition}"
    if after is not None:
        sql += " and t.id < %(after)s"
    return reader.rows(sql + _NEWEST_FIRST, {**params, **values, "after": after, "limit": limit})


def refuse_kept(reader: Reader, customer_id: UUID) -> None:
    """Raises SubjectRestricted when a customer's contracts may be kept and not used."""
    subjects.refuse_restricted(reader, [customer_id])
    if reader.row(_RETAINED, {"id": customer_id}) is not None:
        raise subjects.SubjectRestricted


def list_templates(reader: Reader) -> list[Any]:
    """Rows of the newest version of each template."""
    return reader.rows(_TEMPLATES)


def _resting(principal: Principal) -> str:
    return f"({resting(principal, 't.customer_id')} or {_KEPT})"
