"""A service was restored from a backup: what was erased since is erased again (I21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from kernel.pure.errors import Invalid, Violation
from privacy.domain.erasure import alarm_times
from privacy.usecases.erase_subjects import ALARM, order, restrict
from privacy.usecases.ports import Work

# Requests opened again at once.
BATCH = 100


def reapply_erasures(work: Work, since: datetime | None, before: datetime | None) -> Sequence[UUID]:
    """Opens requests again that were closed from `since` on and before `before`, None: now; answers which,
    BATCH of them when others are left.

    Their persons' data rests, for a backup may hold that it does not. Raises Invalid.
    """
    if since is None or since > work.now:
        raise Invalid.of(
            Violation("closed_since", "PERIOD", "must be an instant of the past", "必须是过去的时间")
        )
    erasures = work.erasures.closed(since, before or work.now, BATCH)
    for erasure in erasures:
        erasure.reopen(work.now + timedelta(days=work.erasure_days))
        for percent, at in alarm_times(work.now, erasure.due_at).items():
            work.schedule(ALARM, f"{erasure.id}:{percent}", at)
        work.erasures.note(erasure.id, "reopened", closed_at=erasure.closed_at)
        restrict(work, erasure, erasure.subject_ids, True)
        order(work, erasure)
        work.erasures.save(erasure)
        work.audit("reopen_erasure", "erasure_request", erasure.id)
    return [erasure.id for erasure in erasures]
