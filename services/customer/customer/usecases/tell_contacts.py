"""Telling other services how to reach customers, for a purpose that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from customer.usecases.ports import Work
from kernel.pure.errors import Checks

MOST_AT_ONCE = 500
_LONGEST_PURPOSE = 200


def tell_contacts(work: Work, customer_ids: Sequence[UUID], purpose: str) -> None:
    """Notes which customers' contacts are told for what. Raises Invalid."""
    checks = Checks()
    if not 1 <= len(customer_ids) <= MOST_AT_ONCE:
        checks.refuse(
            "customer_ids", "BATCH_SIZE", f"must hold 1 to {MOST_AT_ONCE}", f"必须有 1 到 {MOST_AT_ONCE} 项"
        )
    if not 1 <= len(purpose.strip()) <= _LONGEST_PURPOSE:
        checks.refuse(
            "purpose",
            "PURPOSE",
            f"must have 1 to {_LONGEST_PURPOSE} characters",
            f"必须有 1 到 {_LONGEST_PURPOSE} 个字符",
        )
    checks.raise_if_any()
    work.audit("tell_contacts", "customer", "", purpose=purpose.strip(), ids=[str(i) for i in customer_ids])
