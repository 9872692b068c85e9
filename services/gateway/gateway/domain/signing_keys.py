"""When signing keys are made, sign and go.

There are always two: the one that signs, and the next, which is published long before it signs, so
that everybody knows it by then. A key stays published until the last token it signed has expired.
Everything follows from `signs_from` and the time, so processes need not tell each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeVar

from gateway.domain.sessions import ACCESS_TOKEN_LIFE

# Between publishing a key and its first signature, at least: processes read keys anew much sooner.
PUBLISHED_AHEAD = timedelta(hours=1)
# Between the first signature of the next key and the end of the old: its tokens have expired, and
# clocks may differ.
KEPT_AFTER = ACCESS_TOKEN_LIFE + timedelta(minutes=10)


@dataclass(frozen=True)
class SigningKey:
    """The public half of an ES256 key (P-256): coordinates in unpadded base64url."""

    kid: str
    x: str
    y: str
    signs_from: datetime

    def jwk(self) -> dict[str, str]:
        """As a JSON web key (RFC 7517)."""
        return {
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "kid": self.kid, "alg": "ES256", "use": "sig",
        }  # fmt: skip


class NewKey(NamedTuple):
    """A signing key just made: the public half, and the private one sealed."""

    public: SigningKey
    sealed: bytes


Key = TypeVar("Key", bound=SigningKey)


def keys_due(keys: Collection[SigningKey], now: datetime, period: timedelta) -> list[datetime]:
    """From when each key that must be made now will sign; `period` is how long one key signs."""
    if not keys:
        return [now, now + period]
    newest = max(key.signs_from for key in keys)
    return [] if newest > now else [max(newest + period, now + PUBLISHED_AHEAD)]


def signing_key(keys: Collection[Key], now: datetime) -> Key:
    """The key that signs now. Raises ValueError when there is none at all."""
    begun = [key for key in keys if key.signs_from <= now]
    # A clock that goes behind the others' finds none begun: the first one then.
    return max(begun, key=_start) if begun else min(keys, key=_start)


def retired_keys(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """The keys whose every token has expired."""
    ordered = sorted(keys, key=_start)
    return [key for key, successor in pairwise(ordered) if successor.signs_from + KEPT_AFTER <= now]


def _start(key: SigningKey) -> datetime:
    return key.signs_from
