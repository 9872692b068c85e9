"""A hold commands that data be kept: a lawsuit, an order of an authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal

_LONGEST = 200


@dataclass
class Hold:
    """In force until it is lifted; `until` is its last day, None when somebody must lift it."""

    id: UUID
    subject_id: UUID
    reason: str
    until: date | None
    placed_at: datetime
    lifted_at: datetime | None = None


def check_text(field: str, text: str, checks: Checks) -> None:
    """Refuses a reason or evidence that is empty, endless, or tells more than it may for good."""
    if not 1 <= len(text.strip()) <= _LONGEST:
        checks.refuse(field, "TEXT_LENGTH", "must have 1 to 200 characters", "必须有 1 到 200 个字符")
    check_impersonal(field, text, checks)


def check_until(until: date | None, today: date, checks: Checks) -> None:
    """Refuses a hold that has ended before it began."""
    if until is not None and until < today:
        checks.refuse("until", "PERIOD", "must not lie in the past", "不能是过去的日期")
