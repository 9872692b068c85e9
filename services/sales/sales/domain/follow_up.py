"""What a seller did about a lead, and what is to be done next (S-11, S-13, S-15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from kernel.pure.errors import Checks
from sales.domain.lead import read_words

METHODS = ("phone", "visit", "email", "wecom", "meeting")
# Within two years: a later reminder is a slip of the pen.
_FARTHEST = timedelta(days=731)
FIRST, SECOND, NEXT = "first", "second", "next"


@dataclass(frozen=True)
class FollowUp:
    """`content`, `feedback` and `next_step` are free text about the customer; `remind_at` None means
    that the rules say when to be reminded, if at all."""

    method: str
    content: str
    feedback: str
    next_step: str
    occurred_at: datetime
    remind_at: datetime | None = None

    def words(self) -> dict[str, str]:
        """The document that is sealed."""
        words = {"content": self.content, "feedback": self.feedback, "next_step": self.next_step}
        return {name: value for name, value in words.items() if value}


@dataclass(frozen=True)
class Reminder:
    """Somebody is to follow up a lead by `due_at`."""

    id: UUID
    lead_id: UUID
    user_id: UUID
    kind: str
    due_at: datetime


def read_follow_up(told: FollowUp, now: datetime) -> FollowUp:
    """The follow-up in normal form. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    if told.method not in METHODS:
        known = ", ".join(METHODS)
        checks.refuse("follow_up.method", "UNKNOWN_METHOD", f"is one of {known}", f"必须是 {known} 之一")
    if told.occurred_at > now:
        checks.refuse(
            "follow_up.occur_time", "IN_THE_FUTURE", "must not be in the future", "不能是将来的时间"
        )
    if told.remind_at is not None and not now < told.remind_at <= now + _FARTHEST:
        en, zh = "must lie within the next two years", "必须在未来两年之内"
        checks.refuse("follow_up.remind_time", "REMIND_TIME", en, zh)
    content, feedback, next_step = (
        read_words(checks, f"follow_up.{name}", getattr(told, name))
        for name in ("content", "feedback", "next_step")
    )

    if not content:
        checks.refuse("follow_up.content", "REQUIRED", "is required", "必填")
    checks.raise_if_any()
    return replace(told, content=content, feedback=feedback, next_step=next_step)
