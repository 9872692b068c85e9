"""The read side of duplicates: scans, and pairs that wait for a decision."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from customer.store.queries import predicate
from kernel.pure.grants import Principal, Scope
from kernel.sql.engine import Reader

MERGE = "customer.customers.merge"

_SCAN = """
    select id, state, customers_seen, customers_total, pairs_same, pairs_possible, merged, created_at,
           ended_at
    from duplicate_scans where id = %(id)s and (%(all)s or principal->>'id' = %(me)s)
"""
_PAIRS = """
    select p.first_id, p.second_id, p.decision, p.score, p.reasons
    from duplicate_pairs p join customers a on a.id = p.first_id join customers b on b.id = p.second_id
    where p.state = 'open' and a.survivor_id is null and a.deleted_at is null
      and b.survivor_id is null and b.deleted_at is null
      and (%(decision)s = '' or p.decision = %(decision)s)
"""
_AFTER = """
    and (p.score < %(score)s or p.score = %(score)s and (p.first_id, p.second_id) > (%(first)s, %(second)s))
"""
_ORDER = "order by p.score desc, p.first_id, p.second_id limit %(limit)s"


def get_scan(reader: Reader, principal: Principal, scan_id: UUID) -> Any | None:
    """The row of a scan that the principal started, or any for who may merge all customers."""
    everything = principal.scope_of(MERGE) is Scope.ALL
    return reader.row(_SCAN, {"id": scan_id, "all": everything, "me": principal.id})


def list_pairs(
    reader: Reader, principal: Principal, decision: str, after: tuple[float, UUID, UUID] | None, limit: int
) -> list[Any]:
    """Rows of pairs of which the principal may merge both, surest first, from the one after
    (score, first id, second id); `decision` is "same", "possible" or empty for both."""
    first, params = predicate(principal, MERGE, "a")
    second, more = predicate(principal, MERGE, "b")
    sql = f"{_PAIRS} and {first} and {second}"
    params = {**params, **more, "decision": decision, "limit": limit}
    if after is not None:
        sql += _AFTER
        params |= dict(zip(("score", "first", "second"), after, strict=True))
    return reader.rows(f"{sql} {_ORDER}", params)
