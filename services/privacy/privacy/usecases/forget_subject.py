"""What the privacy service itself holds of a person goes; the proof of what they allowed stays, unnamed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from kernel.pure.clock import today
from kernel.pure.erasure import Erasure, RetainedRows
from privacy.usecases.ports import Work

# The legal basis on which the ledger is kept (PIPL article 55, records of processing).
PROOF = "consent_proof"


def forget_subject(work: Work, subject_ids: Sequence[UUID]) -> Erasure:
    """A second time finds nothing."""
    rows = work.forgetting.forget(subject_ids)
    proofs = work.forgetting.proofs(subject_ids)
    until = today(work.clock) + timedelta(days=365 * work.proof_years)
    return Erasure(rows, [RetainedRows(PROOF, until, proofs)] if proofs else [])
