"""Whether a message that went out might go out: asked again afterwards, of the ledger alone.

Permits keep messages back that nobody may send. This looks from the other side, whatever was asked, answered
or checked before: was there a consent, living at that instant? One that was not is an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from privacy.domain.consents import Channel, Said, State, is_valid_state, last_word
from privacy.domain.permits import LIFE
from privacy.domain.purposes import Basis

# Clocks of services differ by no more.
_CLOCKS = timedelta(seconds=5)
_AGAINST = (State.REFUSED, State.WITHDRAWN, State.EXPIRED)


@dataclass(frozen=True)
class Send:
    """A message as marketing told it: let go at `attempted_at`, resting on the event `consent_id` of the
    ledger; None: on another basis."""

    message_id: UUID
    campaign_id: UUID
    subject_id: UUID
    purpose_id: str
    channel: Channel
    consent_id: UUID | None
    attempted_at: datetime


@dataclass(frozen=True)
class Recorded:
    """What a person said, and when it came into the ledger."""

    said: Said
    recorded_at: datetime


@dataclass(frozen=True)
class Terms:
    """A purpose: its basis, and (major version, when) of its notices."""

    basis: Basis
    notices: Sequence[tuple[int, datetime]]


def fault(send: Send, terms: Terms | None, told: Sequence[Recorded]) -> str:
    """Why the message might not go out; "" when it might.

    `told` is what the person said, ever and by whichever of their ids, of the purpose on the channel or on
    all. A permit lives for a minute: what came into the ledger within it stands against no message yet.
    """
    if terms is None:
        return "NO_PURPOSE"
    then = send.attempted_at + _CLOCKS
    before = send.attempted_at - LIFE - _CLOCKS
    known = [one.said for one in told if one.recorded_at <= then]
    against = [one.said for one in told if one.recorded_at <= before and one.said.state in _AGAINST]
    if terms.basis is not Basis.CONSENT:
        return _objection(known, against)
    grant = next((one for one in known if one.id == send.consent_id and one.state is State.GRANTED), None)
    if grant is None:
        return "NO_CONSENT"
    overruling = last_word(one for one in against if one.rank > grant.rank)
    if overruling is not None:
        return overruling.state.name
    major = max((version for version, at in terms.notices if at <= before), default=0)
    if is_valid_state(grant.state, grant.expires_at, grant.major_version, major, before):
        return ""
    return "TERMS_CHANGED" if grant.major_version < major else "EXPIRED"


def _objection(known: Sequence[Said], against: Sequence[Said]) -> str:
    """Where no consent is needed, a person may object; what they said later may take that back."""
    objection = last_word(one for one in against if one.state is not State.EXPIRED)
    if objection is None or any(one.rank > objection.rank and one.state is State.GRANTED for one in known):
        return ""
    return objection.state.name
