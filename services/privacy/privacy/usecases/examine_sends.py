"""Every message that went out is examined: whether it rested on a consent that lived then."""

from __future__ import annotations

from collections.abc import Sequence

from privacy.domain.sends import Send, fault
from privacy.usecases.ports import Work


def examine_sends(work: Work, sends: Sequence[Send]) -> int:
    """Examines those that were not yet; answers how many might not go out. Each of them is audited."""
    found = 0
    for send in work.sends.new(sends):
        why = fault(send, work.sends.terms(send.purpose_id), work.sends.told(send))
        work.sends.keep(send, why)
        if why:
            found += 1
            facts = {"campaign": str(send.campaign_id), "purpose": send.purpose_id, "why": why}
            work.audit("find_unlawful_send", "message", send.message_id, **facts)
    return found
