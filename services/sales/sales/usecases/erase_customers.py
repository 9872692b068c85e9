"""What sales holds of a person goes; signed contracts stay sealed as long as the law has us keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from kernel.pure.clock import today
from kernel.pure.erasure import Erasure, RetainedRows
from sales.usecases.follow_up_leads import close_lead
from sales.usecases.keep_contracts import cancel_contract
from sales.usecases.ports import OPERATIONAL_KEYS, Work
from sales.usecases.sell import lose_opportunity

BASIS = "contract"


def erase_customers(work: Work, customer_ids: Sequence[UUID]) -> Erasure:
    """Erases these, who are one person; a second time finds nothing.

    Words, follow-ups and proposals go. Leads and opportunities end and stay as figures without a
    person. Contracts that were never signed go. Signed ones are retained, out of use, until the last of
    them may go. What is about to end is locked first: what ended meanwhile is left as it is.
    """
    rows = Counter[str]()
    for lead_id in work.leads.open_of(customer_ids):
        close_lead(work, lead_id, "other")
    for opportunity_id in work.opportunities.open_of(customer_ids):
        lose_opportunity(work, opportunity_id, "other")
    for contract_id in work.contracts.drafts_of(customer_ids):
        cancel_contract(work, contract_id)
    rows.update(work.erasures.erase(customer_ids))
    rows.update(work.erasures.erase_unsigned(customer_ids))
    ends = work.contracts.signed_ends(customer_ids)
    if not ends:
        rows.update(work.erasures.erase_contracts(customer_ids))
        return Erasure(rows)
    until = max(kept_until(day, work.contract_kept_years) for day in ends)
    work.erasures.retain(customer_ids, until)
    retained = [RetainedRows(BASIS, until, len(ends))]
    return Erasure(rows, retained, key_classes=(OPERATIONAL_KEYS,))


def release_contracts(work: Work, limit: int) -> list[UUID]:
    """Erases contracts whose time is over; answers whose keys of contracts must go."""
    due = work.erasures.due(today(work.clock), limit)
    if due:
        rows = work.erasures.erase_contracts(due)
        work.audit("release", "contract", "", customers=len(due), rows=sum(rows.values()))
    return due


def kept_until(ends_on: date, years: int) -> date:
    """The last day a contract that ends on `ends_on` is kept."""
    try:
        return ends_on.replace(year=ends_on.year + years)
    except ValueError:
        return ends_on.replace(year=ends_on.year + years, day=28) + timedelta(days=1)
