"""Making the rows of a file ready to be stored, a step at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from customer.domain.importing.mapping import column_names
from customer.domain.importing.reports import REFUSED, ReportedRow
from customer.domain.importing.rows import Record, Row, RowReader
from customer.domain.importing.runs import Import
from customer.usecases.imports.ports import Batch, Marks, Stager


@dataclass(frozen=True)
class Step:
    """So many rows, which become one transaction. It follows on `after` rows of the file."""

    after: int
    read: int
    batch: Batch
    refused: Sequence[ReportedRow]
    unchanged: int
    # The file has no rows after these.
    at_end: bool


@dataclass(frozen=True)
class Share:
    """Of the steps that are left those that one of several makes: the one at `place`, and each `of`th after
    it."""

    place: int = 0
    of: int = 1


ALL = Share()


def prepare_steps(
    run: Import,
    records: Iterable[Record],
    stager: Stager,
    marks: Marks,
    today: date,
    share: Share = ALL,
) -> Iterator[Step]:
    """The steps that are left of an import, each made when it is asked for.

    `records` is the whole file. Of a trial it is one step. Whoever makes all of them sees when rows of two
    steps have one external id; several find out when the second can't be stored. Raises what reading the
    file raises, and KeyringUnavailable.
    """
    records = iter(records)
    header = next(records, Record(1, ()))
    options = run.options
    reader = RowReader(
        column_names(header.cells),
        options.columns,
        kind=options.kind,
        source=options.source,
        owner_id=options.owner_id,
        today=today,
        fallback_id=marks.row,
    )
    size = run.most_rows
    after = run.counts.read + share.place * size
    if not _skip(records, after):
        return
    # Steps that are not stored yet hold ids that the store does not know of.
    recent: deque[set[str]] = deque(maxlen=3)
    while True:
        # Handed out and forgotten: a step is large.
        rows = [reader.read(record) for record in islice(records, size)]
        at_end = len(rows) < size
        yield _step(run, after, rows, at_end, stager, recent)
        rows.clear()
        if at_end or not _skip(records, (share.of - 1) * size):
            return
        after += share.of * size


def _skip(records: Iterator[Record], count: int) -> bool:
    """Passes over so many rows; whether there were so many."""
    return sum(1 for _ in islice(records, count)) == count


def _step(
    run: Import, after: int, rows: Sequence[Row], at_end: bool, stager: Stager, recent: deque[set[str]]
) -> Step:
    good = [row for row in rows if row.profile is not None]
    fresh = _fresh(good, run.options.source, stager, recent)
    return Step(
        after=after,
        read=len(rows),
        batch=stager.stage(fresh, run.options.owner_id, run.principal.id),
        refused=[
            ReportedRow(row.line, REFUSED, problems=row.problems) for row in rows if row.profile is None
        ],
        unchanged=len(good) - len(fresh),
        at_end=at_end,
    )


def _fresh(rows: Sequence[Row], source: str, stager: Stager, recent: deque[set[str]]) -> list[Row]:
    """The rows whose external id is free; of several with one id the first."""
    if not rows:
        return []
    known = stager.known_ids(source, [_id_of(row) for row in rows]).union(*recent)
    own: set[str] = set()
    fresh = []
    for row in rows:
        value = _id_of(row)
        if value not in known and value not in own:
            own.add(value)
            fresh.append(row)
    recent.append(own)
    return fresh


def _id_of(row: Row) -> str:
    assert row.profile is not None
    return row.profile.external_ids[0].value
