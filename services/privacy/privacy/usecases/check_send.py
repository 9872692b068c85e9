"""May these persons be reached? Each answer is a reason or an event to rest on, never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.pure.errors import Invalid, Violation
from kernel.pure.permits import Permit
from privacy.domain.consents import Channel
from privacy.domain.permits import LARGEST_ASKED, LIFE, refusal
from privacy.domain.purposes import Basis
from privacy.usecases.ports import Work

# A permit to be signed, or why there is none.
Verdict = Permit | str


def check_send(
    work: Work, campaign_id: UUID, purpose_id: str, channel: Channel, subject_ids: Sequence[UUID]
) -> list[Verdict]:
    """One verdict for each subject, in order. Raises Invalid or PurposeNotFound."""
    if not 1 <= len(subject_ids) <= LARGEST_ASKED:
        raise Invalid.of(Violation("subject_ids", "BATCH_SIZE", "must be 1 to 500", "必须是 1 到 500 个"))
    if channel is Channel.ALL:
        raise Invalid.of(Violation("channel", "REQUIRED", "must be one channel", "必须是一个渠道"))
    basis, major_version = work.standings.terms(purpose_id)
    verdicts: list[Verdict] = []
    for standing in work.standings.of(subject_ids, purpose_id, channel):
        why_not = refusal(standing, basis, major_version, work.now)
        rests_on = str(standing.wish.event_id) if standing.wish and basis is Basis.CONSENT else ""
        verdicts.append(
            why_not
            or Permit(
                subject_id=str(standing.subject_id),
                purpose=purpose_id,
                channel=channel.value,
                campaign_id=str(campaign_id),
                consent_id=rests_on,
                expires_at=work.now + LIFE,
            )
        )
    permitted = sum(isinstance(verdict, Permit) for verdict in verdicts)
    work.audit(
        "check_send", "campaign", campaign_id,
        purpose=purpose_id, channel=channel.value, asked=len(verdicts), permitted=permitted,
    )  # fmt: skip
    return verdicts
