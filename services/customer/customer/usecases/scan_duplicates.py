"""Looking for duplicates among all customers, in steps that a restart continues (C-12)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from customer.domain.duplicates import Candidate, Scan, chains, groups_to_merge, pairs_of
from customer.domain.merging import MOST_AT_ONCE
from customer.usecases.merge_customers import PERMISSION, merge_customers
from customer.usecases.ports import SCAN, Work
from kernel.pure.errors import CrmError
from kernel.pure.ids import new_id

_BATCH = 1_000
# So many customers, or a chain more, are merged in a step.
_MOST_MERGED = 50


def start_scan(work: Work, merge: bool) -> Scan:
    """A scan of all customers that the principal may merge; with `merge` it also merges those that are
    surely the same."""
    scan = Scan(new_id(), work.principal, merge, customers_total=work.scans.count(PERMISSION))
    work.scans.add(scan)
    # One after the other: many at once would leave no place for imports and exports.
    work.defer(SCAN, lock=SCAN, scan_id=scan.id)
    work.audit("start", "duplicate_scan", scan.id, merge=merge)
    return scan


def scan_step(work: Work, scan_id: UUID) -> bool:
    """Goes one step further on behalf of the principal who started it; answers whether more is to do.

    `work` is that principal's. A scan of somebody who may not merge any more fails.
    """
    scan, started = work.scans.lend(scan_id)
    if scan.state in ("done", "failed"):
        return False
    if work.scans.disabled() or work.principal.scope_of(PERMISSION) is None:
        scan.state = "failed"
    else:
        scan.state = "running"
        batch = work.scans.following(scan.after_id, _BATCH, PERMISSION)
        if batch:
            known = _compared(work, batch)
            pairs = pairs_of(known)
            work.pairs.put(pairs, since=started)
            scan.pairs_same += sum(pair.decision == "same" for pair in pairs)
            scan.pairs_possible += sum(pair.decision == "possible" for pair in pairs)
            scan.after_id = batch[-1]
            scan.customers_seen += len(batch)
        elif not scan.merge or not _merge_some(work, scan):
            scan.state = "done"
    work.scans.save(scan)
    return scan.state == "running"


def fail_scan(work: Work, scan_id: UUID) -> None:
    """Ends a scan that can't go on."""
    scan, _ = work.scans.lend(scan_id)
    scan.state = "failed"
    work.scans.save(scan)


def _compared(work: Work, batch: Sequence[UUID]) -> list[tuple[Candidate, Candidate]]:
    """Each customer of the batch with the older ones that share a key with it."""
    couples = work.matches.couples(batch)
    known = work.matches.load({i for couple in couples for i in couple}, PERMISSION)
    reached = {i for i, candidate in known.items() if candidate.within_reach}
    return [(known[one], known[other]) for one, other in sorted(couples) if {one, other} <= reached]


def _merge_some(work: Work, scan: Scan) -> bool:
    """Merges a few groups of those that are surely the same; answers whether any was left to merge."""
    work.merges.alone()
    merged = 0
    for chain in chains(work.pairs.sure(PERMISSION)):
        groups = work.matches.groups({i for first, second, _ in chain for i in (first, second)}, PERMISSION)
        parties = {root: [member.party for member in members] for root, members in groups.items()}
        readable = {root for root, members in parties.items() if any(m.id == root for m in members)}
        sure = [pair for pair in chain if {pair[0], pair[1]} <= readable]
        for survivor_id, absorbed_ids in groups_to_merge(sure, parties.__getitem__):
            try:
                merged += len(merge_customers(work, survivor_id, absorbed_ids[:MOST_AT_ONCE]))
            except CrmError:
                # Changed since it was found; the next scan looks again.
                continue
        if merged >= _MOST_MERGED:
            break
    scan.merged += merged
    return merged > 0
