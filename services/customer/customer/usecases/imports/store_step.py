"""Storing the rows of one step of an import, in one transaction with its progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from customer.domain.duplicates import Party
from customer.domain.events import CustomersRecorded
from customer.domain.importing.errors import ENDINGS, ImportFault, ImportForbidden, ImportSuperseded
from customer.domain.importing.reports import MERGED, ReportedRow
from customer.domain.importing.resolving import Comparisons, Resolution, Suspect, resolve
from customer.domain.importing.runs import MOST_FAILURES, Counts, Import
from customer.usecases.imports.ports import PERMISSION, Batch, ImportWork
from customer.usecases.imports.prepare_steps import Step
from customer.usecases.merge_customers import tell_links
from kernel.pure.errors import CrmError

_MOST_IN_AN_EVENT = 500


def store_step(work: ImportWork, import_id: UUID, step: Step, bytes_read: int) -> Import:
    """The import after this step; `work` belongs to whoever started it, with the
    rights of now. A cancelled import is
    answered as it is.

    Raises ImportSuperseded when these rows were stored by somebody else, and ImportForbidden.
    """
    run = work.imports.hold(import_id)
    if not run.runnable:
        return run
    if run.counts.read != step.after:
        raise ImportSuperseded
    if not work.customers.reaches(run.options.owner_id, PERMISSION):
        raise ImportForbidden
    batch = step.batch
    resolution = _resolution(work, run, batch)
    survivors = resolution.survivors
    if len(batch):
        work.staging.store(batch)
        work.pairs.put(resolution.pairs, since=work.now)
        _merge(work, survivors)
        _tell(work, batch)
    ids = map(batch.id, range(len(batch))) if survivors else ()
    merged = [
        ReportedRow(line, MERGED, survivors[customer_id])
        for customer_id, line in zip(ids, batch.lines, strict=False)
        if customer_id in survivors
    ]
    work.imports.report(import_id, sorted([*step.refused, *merged], key=lambda row: row.line))
    counts = Counts(
        read=step.read,
        created=len(batch) - len(merged),
        merged=len(merged),
        unchanged=step.unchanged,
        refused=len(step.refused),
    )
    run.advance(counts, bytes_read, at_end=step.at_end, now=work.now)
    work.imports.save(run)
    work.audit("import", "import", import_id, after=step.after, **vars(counts))
    return run


def note_failure(work: ImportWork, import_id: UUID, error: Exception) -> Import:
    """An import one of whose steps failed: it ends when trying again can't mend that."""
    run = work.imports.hold(import_id)
    if run.runnable:
        run.failures += 1
        if isinstance(error, CrmError) and not error.transient:
            run.fail(error.reason if error.reason in ENDINGS else ImportFault.reason, work.now)
        elif run.failures >= MOST_FAILURES:
            run.fail(ImportFault.reason, work.now)
        work.imports.save(run)
    return run


def _resolution(work: ImportWork, run: Import, batch: Batch) -> Resolution:
    """Which of the new rows are known customers, and which may be."""
    merge = run.options.merge_duplicates
    if merge and len(batch):
        # Before anything is read of links; nobody changes one until this is done.
        work.merges.alone()
    stored = work.staging.candidates(batch)
    # Whom nobody resembles is new; so most are, and not looked at any further.
    places = sorted({*stored, *batch.near}.union(*batch.near.values()))
    parties = {place: batch.party(place) for place in places}
    known = {
        candidate_id: candidate
        for candidate_id, candidate in work.matches.load(set().union(*stored.values()), PERMISSION).items()
        if candidate.party.profile.kind == run.options.kind
    }
    rows: list[Suspect] = [
        (
            party,
            [*stored.get(place, ()), *(parties[earlier].id for earlier in batch.near.get(place, ()))],
        )
        for place, party in parties.items()
    ]
    comparisons = Comparisons()
    groups = _groups(work, comparisons.sure_roots(rows, known)) if merge else {}
    return resolve(rows, known, groups, comparisons, merge=merge)


def _groups(work: ImportWork, roots: set[UUID]) -> Mapping[UUID, Sequence[Party]]:
    """The members of the groups read through these customers, which are held; without deleted ones."""
    if not roots:
        return {}
    work.staging.hold(roots)
    groups = work.matches.groups(roots, PERMISSION)
    return {root: [member.party for member in members] for root, members in groups.items()}


def _merge(work: ImportWork, survivors: Mapping[UUID, UUID]) -> None:
    """New customers have no orders and no classes: nothing but the links changes."""
    if not survivors:
        return
    work.merges.decide_each(survivors)
    tell_links(work, work.merges.link(survivors))
    changed = [*survivors, *set(survivors.values())]
    work.merges.renew(changed)
    work.customers.keep_versions(changed, "merge")


def _tell(work: ImportWork, batch: Batch) -> None:
    recorded = list(batch.recorded())
    for start in range(0, len(recorded), _MOST_IN_AN_EVENT):
        work.record(CustomersRecorded(tuple(recorded[start : start + _MOST_IN_AN_EVENT])))
