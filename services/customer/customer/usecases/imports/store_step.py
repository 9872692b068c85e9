"""Storing the rows of one step of an import, in one transaction with its progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from customer.domain.duplicates import Party
from customer.domain.events import CustomersRecorded
from customer.domain.importing.errors import ENDINGS, ImportFault, ImportForbidden, ImportSuperseded
from customer.domain.importing.reports import MERGED, SUSPECTED, ReportedRow
from customer.domain.importing.resolving import Comparisons, Resolution, Suspect, resolve
from customer.domain.importing.runs import MOST_FAILURES, Counts, Import
from customer.usecases.check_duplicates import PERMISSION as READ
from customer.usecases.check_duplicates import count_question
from customer.usecases.imports.ports import PERMISSION, Batch, ImportWork
from customer.usecases.imports.prepare_steps import Step
from customer.usecases.merge_customers import PERMISSION as MERGE
from customer.usecases.merge_customers import tell_links
from kernel.pure.errors import CrmError, Exhausted

_MOST_IN_AN_EVENT = 500


def store_step(work: ImportWork, import_id: UUID, step: Step, bytes_read: int) -> Import:
    """The import after this step; `work` belongs to whoever started it, with the rights of now. A
    cancelled import is answered as it is.

    Whom somebody else records meanwhile waits for the step, or the step for that one. Raises
    ImportSuperseded when these rows were stored by somebody else, and ImportForbidden.
    """
    run = work.imports.hold(import_id)
    if not run.runnable:
        return run
    if run.counts.read != step.after:
        raise ImportSuperseded
    if not work.customers.reaches(run.options.owner_id, PERMISSION):
        raise ImportForbidden
    if run.options.merge_duplicates and work.principal.scope_of(MERGE) is None:
        raise ImportForbidden
    batch = step.batch
    resolution = _resolution(work, run, batch)
    survivors = resolution.survivors
    if len(batch):
        work.staging.store(batch)
        work.pairs.put(resolution.pairs, since=work.now)
        _merge(work, survivors)
        _tell(work, batch)
    resembling = _resembling(work, batch, resolution)
    work.imports.report(import_id, sorted([*step.refused, *resembling], key=lambda row: row.line))
    counts = Counts(
        read=step.read,
        created=len(batch) - len(survivors),
        merged=len(survivors),
        unchanged=step.unchanged,
        refused=len(step.refused),
    )
    run.advance(counts, bytes_read, at_end=step.at_end, now=work.now)
    work.imports.save(run)
    _note(work, run, step, counts, resolution)
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


def _resembling(work: ImportWork, batch: Batch, resolution: Resolution) -> list[ReportedRow]:
    """What is reported of rows that are or may be known customers. Of those out of reach only whose they
    are, and of so many a minute as a duplicate check would tell of."""
    if not resolution.best:
        return []
    found = []
    told = True
    for place, line in enumerate(batch.lines):
        row_id = batch.id(place)
        if row_id not in resolution.best:
            continue
        match, other = resolution.best[row_id]
        if row_id in resolution.survivors:
            survivor = resolution.survivors[row_id]
            found.append(ReportedRow(line, MERGED, survivor, reasons=match.reasons))
        elif other.within_reach:
            found.append(ReportedRow(line, SUSPECTED, other.root, reasons=match.reasons))
        elif told := told and _may_tell(work):
            found.append(ReportedRow(line, SUSPECTED, team_id=other.team_id))
    return found


def _may_tell(work: ImportWork) -> bool:
    try:
        count_question(work)
    except Exhausted:
        return False
    return True


def _note(work: ImportWork, run: Import, step: Step, counts: Counts, resolution: Resolution) -> None:
    """One row of audit a step, that is found by each customer it was about."""
    stored = map(step.batch.id, range(len(step.batch)))
    survivors = resolution.survivors
    known = {other.root for _, other in resolution.best.values()}.union(survivors.values())
    work.audit(
        "import",
        "import",
        run.id,
        after=step.after,
        ids=[str(run.id), *map(str, stored), *map(str, sorted(known))],
        merges={str(absorbed): str(survivor) for absorbed, survivor in survivors.items()},
        **vars(counts),
    )


def _resolution(work: ImportWork, run: Import, batch: Batch) -> Resolution:
    """Which of the new rows are known customers, and which may be."""
    merge = run.options.merge_duplicates
    reach = (READ, MERGE) if merge else (READ,)
    if len(batch):
        if merge:
            # Before anything is read of links; nobody changes one until this is done.
            work.merges.alone()
        work.matches.alone()
    stored = work.staging.candidates(batch)
    # Whom nobody resembles is new; so most are, and not looked at any further.
    places = sorted({*stored, *batch.near}.union(*batch.near.values()))
    parties = {place: batch.party(place) for place in places}
    known = {
        candidate_id: candidate
        for candidate_id, candidate in work.matches.load(set().union(*stored.values()), *reach).items()
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
    groups = work.matches.groups(roots, READ, MERGE)
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
