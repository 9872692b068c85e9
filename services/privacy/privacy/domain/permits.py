"""Whether a person may be reached for a purpose: asked before every message, refused in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from privacy.domain.consents import State, is_valid_state
from privacy.domain.purposes import Basis

LIFE = timedelta(seconds=60)
LARGEST_ASKED = 500


@dataclass(frozen=True)
class Wish:
    """The last word of a person on one purpose and channel, said under any of their ids."""

    event_id: UUID
    state: State
    expires_at: datetime | None
    major_version: int


@dataclass(frozen=True)
class Standing:
    """What is known of somebody who would be reached; `wish` is None when they never said anything."""

    subject_id: UUID
    wish: Wish | None
    restricted: bool
    erased: bool


def refusal(standing: Standing, basis: Basis, major_version: int, now: datetime) -> str:
    """Why the person may not be reached; "" when they may.

    A purpose that rests on consent needs a grant that holds; any other one may be objected to.
    """
    if standing.erased:
        return "ERASED"
    if standing.restricted:
        return "RESTRICTED"
    wish = standing.wish
    if wish is not None and wish.state in (State.REFUSED, State.WITHDRAWN):
        return wish.state.name
    if basis is not Basis.CONSENT:
        return ""
    if wish is None:
        return "NO_CONSENT"
    if is_valid_state(wish.state, wish.expires_at, wish.major_version, major_version, now):
        return ""
    return "TERMS_CHANGED" if wish.major_version < major_version else "EXPIRED"


def key_months(today: date) -> Sequence[str]:
    """Versions of the keys that sign: of this month, first; of the next one, published ahead; and of the
    last one, whose permits may still be on their way."""
    first = today.replace(day=1)
    last = first - timedelta(days=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return [f"{month:%Y-%m}" for month in (first, following, last)]
