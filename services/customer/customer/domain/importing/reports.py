"""The row report: what became of rows that are not simply new, and why; never what they said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from customer.domain.exporting.forms import CsvForm
from customer.domain.importing.rows import Problem
from customer.domain.matching import Reason

REFUSED, MERGED, SUSPECTED = "refused", "merged", "suspected"
# From the word that lets an import run.
KEPT_FOR = timedelta(days=7)
_TITLES = ("line", "outcome", "customer_id", "team_id", "reasons", "problems")


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A row that was refused, merged into a known customer, or stored though it may be one.

    `customer_id` is that known customer, and `reasons` why, where it is within reach of whoever imports;
    else `team_id` says whose it is.
    """

    line: int
    outcome: str
    customer_id: UUID | None = None
    problems: tuple[Problem, ...] = ()
    team_id: UUID | None = None
    reasons: tuple[Reason, ...] = ()


def as_csv(rows: Iterable[Sequence[str]], *, first: bool) -> bytes:
    """Lines of the file a report is downloaded as, for spreadsheets; the `first` ones with titles.

    Each row is line, outcome, customer id, team id, reasons and problems.
    """
    form = CsvForm(_TITLES)
    return (form.begin() if first else b"") + form.rows(list(rows))
