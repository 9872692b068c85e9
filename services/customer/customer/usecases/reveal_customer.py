"""Showing the masked fields of a person, for a reason that is kept (X-03)."""

from __future__ import annotations

from uuid import UUID

from customer.domain.customer import Person
from customer.domain.errors import NotAPerson
from customer.usecases.ports import Work
from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal

PERMISSION = "customer.personal.reveal"
_SHORTEST_REASON = 4
_LONGEST_REASON = 500


def reveal_customer(work: Work, customer_id: UUID, reason: str) -> UUID:
    """Notes that the principal is shown a person in clear; answers the id of the customer that shows it.

    Raises Invalid for a reason that is none, CustomerNotFound or NotAPerson.
    """
    checks = Checks()
    reason = check_reason(reason, checks)
    checks.raise_if_any()
    customer = work.customers.lend(customer_id, PERMISSION)
    if not isinstance(customer.profile.details, Person):
        raise NotAPerson(id=customer_id)
    work.audit("reveal", "customer", customer.id, reason=reason)
    return customer.id


def check_reason(reason: str, checks: Checks) -> str:
    """Why somebody looks at more than their daily work shows; refuses what is none."""
    reason = reason.strip()
    if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
        checks.refuse(
            "reason",
            "REASON",
            f"must have {_SHORTEST_REASON} to {_LONGEST_REASON} characters",
            f"必须有 {_SHORTEST_REASON} 到 {_LONGEST_REASON} 个字符",
        )
    check_impersonal("reason", reason, checks)
    return reason
