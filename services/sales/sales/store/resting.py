"""Records about persons whose data must rest: refused to everybody but the privacy officer."""

from __future__ import annotations

from typing import Any

from kernel.pure.grants import Principal, PrincipalKind
from kernel.sql.subjects import SubjectRestricted

# Shows what rests, to whom everybody else is refused.
READ_RESTRICTED = "customer.restricted.read"


def resting(principal: Principal, customer: str) -> str:
    """The condition that a principal may not use the data of the customer whose id is in the column
    `customer`, a constant of the program."""
    if principal.kind is not PrincipalKind.SERVICE and principal.scope_of(READ_RESTRICTED) is not None:
        return "false"
    return f"exists (select from restricted_subjects x where x.subject_id = {customer} and x.restricted)"


def refuse_resting(row: Any | None) -> Any | None:
    """The row, or None. Raises SubjectRestricted when it is `resting`."""
    if row is not None and row.resting:
        raise SubjectRestricted
    return row
