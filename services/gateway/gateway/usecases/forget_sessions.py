"""Forgetting what can't matter any more: sessions, refresh tokens, revocations."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.sessions import REVOCATIONS_KEPT
from gateway.usecases.ports import Work

# An ended session stays for a while, for those who ask why.
_ENDED_KEPT = timedelta(days=1)


def forget_sessions(work: Work, most: int) -> bool:
    """Deletes up to `most` rows of each kind; answers whether there may be more."""
    counts = (
        work.sessions.forget_tokens(work.now, most),
        work.sessions.forget_sessions(work.now, work.now - _ENDED_KEPT, most),
        work.sessions.forget_revocations(work.now - REVOCATIONS_KEPT, most),
    )
    return max(counts) >= most
