"""Audit rows that a service sealed are kept where the service can't reach them."""

from __future__ import annotations

from privacy.domain.audit import Batch, links_of
from privacy.usecases.ports import Work


def keep_audit(work: Work, batch: Batch) -> None:
    """Raises AuditBatchBroken for a batch that is not what it says, or not what was kept before."""
    links = links_of(batch, work.audits.key_of(batch.service))
    work.audits.keep(batch.service, links)
    if batch.checkpoint is not None:
        work.audits.keep_checkpoint(batch.service, batch.checkpoint)
