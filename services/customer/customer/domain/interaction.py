"""What happened with a customer: consultations, visits, complaints, feedback, browsing (C-05, C-07, C-34)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.pure.errors import Checks

KINDS = ("consultation", "visit", "complaint", "feedback", "browsing")
LONGEST_CONTENT = 4_000
_LONGEST_CHANNEL = 100
_LAYOUT = "\n\t"


@dataclass(frozen=True)
class InteractionDraft:
    """An interaction as told. `kind` is one of KINDS; `occurred_at` None means now."""

    kind: str
    channel: str = ""
    content: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class Interaction:
    """An interaction as kept. `actor_id` says who recorded it; `content` is free text, personal when
    the customer is a person."""

    id: UUID
    customer_id: UUID
    kind: str
    channel: str
    content: str
    occurred_at: datetime
    actor_id: str


def checked(draft: InteractionDraft, checks: Checks, at: str, now: datetime) -> InteractionDraft:
    """`draft` in normal form: trimmed, with its instant.

    Refuses, through `checks` and naming fields below `at`, whatever breaks a rule.
    """
    channel = draft.channel.strip()
    content = draft.content.replace("\r\n", "\n").strip()
    if draft.kind not in KINDS:
        checks.refuse(f"{at}.kind", "REQUIRED", "must say what happened", "必须说明互动类型")
    for field, text, longest, allowed in (
        ("channel", channel, _LONGEST_CHANNEL, ""),
        ("content", content, LONGEST_CONTENT, _LAYOUT),
    ):
        if len(text) > longest:
            checks.refuse(
                f"{at}.{field}",
                "TOO_LONG",
                f"must have at most {longest} characters",
                f"最多 {longest} 个字符",
            )
        if any(ord(character) < 32 and character not in allowed for character in text):
            checks.refuse(
                f"{at}.{field}", "CONTROL_CHARACTER", "must not hold control characters", "不能包含控制字符"
            )
    if draft.occurred_at is not None and draft.occurred_at > now:
        checks.refuse(f"{at}.occur_time", "IN_THE_FUTURE", "must not be in the future", "不能是将来的时间")
    return InteractionDraft(draft.kind, channel, content, draft.occurred_at or now)
