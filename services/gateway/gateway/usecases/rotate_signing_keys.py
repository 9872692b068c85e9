"""Making the next signing key in good time, and dropping old ones when their tokens have expired."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.signing_keys import keys_due, retired_keys
from gateway.usecases.ports import KeyForge, Work


def rotate_signing_keys(work: Work, forge: KeyForge, period: timedelta) -> tuple[int, int]:
    """Brings the keys to what they should be now; answers how many were made and how many dropped.

    Safe to repeat and to run by several at once. `period` is how long one key signs.
    """
    held = work.signing_keys.all()
    due, retired = keys_due(held, work.now, period), retired_keys(held, work.now)
    for signs_from in due:
        key = forge.make(signs_from)
        work.signing_keys.add(key)
        work.audit("create", "signing_key", key.public.kid, signs_from=signs_from.isoformat())
    for old in retired:
        work.signing_keys.drop(old.kid)
        work.audit("delete", "signing_key", old.kid)
    return len(due), len(retired)
