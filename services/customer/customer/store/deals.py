"""The projection of won opportunities and of their contracts (S-22): whose customer is 已成交."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from customer.usecases.ports import ContractRow, DealRow
from kernel.sql.engine import Reader
from kernel.sql.filters import Attribute

# A deal whose contract was cancelled is none; one whose contract was not heard of yet stands.
_STANDING = """
    deals d left join contracts t on t.contract_id = d.contract_id
"""
_STANDS = "t.status is distinct from 'cancelled'"
# Whether the customer `c`, or one that was merged into it, has a deal.
WON = f"""
    exists (select from {_STANDING} where {_STANDS} and d.customer_id = any(array(
        select c.id union all select a.id from customers a where a.survivor_id = c.id)))
"""
# As WON, of the customer `c` alone at the instant %(at)s.
WON_THEN = f"""
    exists (select from {_STANDING} where {_STANDS} and d.customer_id = c.id and d.won_at <= %(at)s)
"""
DEAL_STATUS = Attribute(
    f"(case when {WON} then 'won' else '' end)",
    "text",
    held=f"""(c.id in (select coalesce(m.survivor_id, m.id) from {_STANDING}
                      join customers m on m.id = d.customer_id where {_STANDS}) and 'won' in ({{}}))""",
)
_RECENT = f"""
    select d.opportunity_id, d.contract_id, coalesce(t.status, '') as contract_status, d.amount, d.currency,
           d.won_at
    from {_STANDING}
    where d.customer_id in (select %(id)s::uuid union all
                            select id from customers where survivor_id = %(id)s)
    order by d.won_at desc, d.opportunity_id desc limit 20
"""
_APPLY_DEALS = """
    insert into deals as held (opportunity_id, version, customer_id, contract_id, amount, currency, won_at)
    values (%(opportunity_id)s, %(version)s, %(customer_id)s, %(contract_id)s, %(amount)s, %(currency)s,
            %(won_at)s)
    on conflict (opportunity_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, contract_id = excluded.contract_id,
        amount = excluded.amount, currency = excluded.currency, won_at = excluded.won_at
    where held.version < excluded.version
"""
_APPLY_CONTRACTS = """
    insert into contracts as held (contract_id, version, customer_id, status)
    values (%(contract_id)s, %(version)s, %(customer_id)s, %(status)s)
    on conflict (contract_id) do update
    set version = excluded.version, customer_id = excluded.customer_id, status = excluded.status
    where held.version < excluded.version
"""


class DealRepository:
    def __init__(self, session: Session) -> None:
        self._run = session.connection

    def apply(self, deal: DealRow) -> None:
        self._run().exec_driver_sql(_APPLY_DEALS, vars(deal))

    def apply_contracts(self, told: Sequence[ContractRow]) -> None:
        # Ids in order, so that handlers can't deadlock.
        rows = [vars(row) for row in sorted(told, key=lambda row: (row.contract_id, row.version))]
        if rows:
            self._run().exec_driver_sql(_APPLY_CONTRACTS, rows)


def recent_deals(reader: Reader, customer_id: UUID) -> Sequence[Any]:
    """The newest 20 deals of a customer and of those merged into it; the scope was checked."""
    return reader.rows(_RECENT, {"id": customer_id})
