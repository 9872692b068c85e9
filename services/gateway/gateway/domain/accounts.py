"""Service accounts: programs that call, such as an ERP or a partner."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from kernel.pure.errors import Checks

USUAL_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class ServiceAccount:
    id: UUID
    name: str
    role_ids: tuple[str, ...]
    disabled: bool
    created_at: datetime
    # Until then the secret before the present one works too.
    previous_secret_until: datetime | None = None


@dataclass(frozen=True)
class Secrets:
    """The digests of an account's secrets: the present one, and the one it is replacing."""

    present: bytes
    previous: bytes | None = None
    previous_until: datetime | None = None

    def rotated(self, fresh: bytes, now: datetime, overlap: timedelta) -> Secrets:
        """`fresh` takes over; the present one works on for the overlap, the one before it no longer."""
        return Secrets(fresh, self.present, now + overlap) if overlap else Secrets(fresh)

    def fit(self, offered: bytes, now: datetime) -> bool:
        """Whether this is the digest of a secret that works now."""
        if hmac.compare_digest(self.present, offered):
            return True
        overlapping = self.previous_until is not None and now < self.previous_until
        return overlapping and self.previous is not None and hmac.compare_digest(self.previous, offered)


def with_secrets(account: ServiceAccount, secrets: Secrets) -> ServiceAccount:
    return replace(account, previous_secret_until=secrets.previous_until)


def check_overlap(overlap: timedelta, checks: Checks) -> None:
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        checks.refuse(
            "overlap",
            "SECRET_OVERLAP",
            f"must be between 0 and {LONGEST_OVERLAP.days} days",
            f"必须在 0 到 {LONGEST_OVERLAP.days} 天之间",
        )
