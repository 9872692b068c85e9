"""The read side of deals and their contracts (S-22): which customers are 已成交."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

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


def recent_deals(reader: Reader, customer_id: UUID) -> Sequence[Any]:
    """The newest 20 deals of a customer and of those merged into it; the scope was checked."""
    return reader.rows(_RECENT, {"id": customer_id})
