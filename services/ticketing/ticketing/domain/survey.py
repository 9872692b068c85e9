"""How satisfied a customer is with a ticket: asked once when it is closed, answered once (T-17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.pure.errors import Checks
from ticketing.domain.errors import SurveyAnsweredBefore, SurveyNotFound

# Kinds of scores, each with the least and the most.
CSAT, NPS = "csat", "nps"
SCORES = {CSAT: (1, 5), NPS: (0, 10)}
LONGEST_COMMENT = 2_000


@dataclass(frozen=True)
class Reply:
    """`likelihood` to recommend is None when they did not say; `comment` empty."""

    satisfaction: int
    likelihood: int | None = None
    comment: str = ""


@dataclass
class Survey:
    """`subject_id` is whose key seals the comment."""

    id: UUID
    ticket_id: UUID
    customer_id: UUID | None
    subject_id: UUID
    ends_at: datetime
    answered_at: datetime | None = None
    reply: Reply | None = None

    def answer(self, at: datetime, reply: Reply) -> None:
        """Raises SurveyNotFound when it has ended, SurveyAnsweredBefore, or Invalid."""
        if self.answered_at is not None:
            raise SurveyAnsweredBefore
        if at >= self.ends_at:
            raise SurveyNotFound
        checks = Checks()
        _check_score(checks, "satisfaction", CSAT, reply.satisfaction)
        if reply.likelihood is not None:
            _check_score(checks, "likelihood", NPS, reply.likelihood)
        if len(reply.comment) > LONGEST_COMMENT or any(
            ord(c) < 32 and c not in "\n\t" for c in reply.comment
        ):
            checks.refuse(
                "comment",
                "TEXT",
                f"must have at most {LONGEST_COMMENT} characters, none of them control characters",
                f"最多 {LONGEST_COMMENT} 个字符，且不能包含控制字符",
            )
        checks.raise_if_any()
        self.answered_at, self.reply = at, reply

    @property
    def scores(self) -> dict[str, int]:
        """What was answered, by kind."""
        if self.reply is None:
            return {}
        nps = {} if self.reply.likelihood is None else {NPS: self.reply.likelihood}
        return {CSAT: self.reply.satisfaction, **nps}


def _check_score(checks: Checks, field: str, kind: str, score: int) -> None:
    least, most = SCORES[kind]
    if not least <= score <= most:
        checks.refuse(field, "SCORE", f"must be {least} to {most}", f"必须是 {least} 到 {most}")
