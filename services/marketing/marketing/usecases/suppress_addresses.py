"""The list of addresses that no campaign writes to: who comes on it, and who is taken off."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.pure.ids import new_id
from marketing.domain.campaign import Channel
from marketing.domain.suppression import (
    Reason,
    Suppression,
    check_reason,
    normal,
    read_wish,
)
from marketing.usecases.ports import Work


def suppress_address(work: Work, channel: Channel | None, address: str, reason: Reason | None) -> Suppression:
    """Nothing is sent to the address any more; one that is on the list stays as it stands there.

    Raises Invalid.
    """
    channel, address, reason = read_wish(channel, address, reason)
    return suppress(work, channel, "", work.suppressions.hash_of(address), reason)


def lift_suppression(work: Work, suppression_id: UUID, reason: str) -> None:
    """Takes one off the list. Raises Invalid or SuppressionNotFound."""
    check_reason(reason)
    lifted = work.suppressions.remove(suppression_id)
    work.audit("lift", "suppression", lifted.id, stood_for=lifted.reason.value, reason=reason.strip())


def suppress_erased(work: Work, emails: Sequence[str]) -> None:
    """A person will be erased: what they were reached at is never written to again."""
    for address in normal(emails):
        suppress(work, Channel.EMAIL, "", work.suppressions.hash_of(address), Reason.ERASED)


def suppress(work: Work, channel: Channel, purpose: str, address: bytes, reason: Reason) -> Suppression:
    """Puts the address with this keyed hash on the list; answers what stands there for the purpose."""
    wanted = Suppression(new_id(), channel, purpose, reason, work.now, work.principal.id)
    held = work.suppressions.add(wanted, address)
    if held.id == wanted.id:
        work.audit("suppress", "suppression", held.id, channel=channel.value, reason=reason.value)
    return held
