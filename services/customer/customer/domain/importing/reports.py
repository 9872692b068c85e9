"""The row report: which rows were refused or merged, and why; never what they said."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from customer.domain.importing.rows import Problem

REFUSED, MERGED = "refused", "merged"


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """`customer_id` is the one that was there before, of a merged row."""

    line: int
    outcome: str
    customer_id: UUID | None = None
    problems: tuple[Problem, ...] = ()
