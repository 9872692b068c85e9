"""What an api process believes of tokens: the gateway's keys, and what was revoked lately."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jwt import PyJWK

from kernel.ops import metrics
from kernel.ops.logs import logger

log = logger(__name__)

# Seconds without news after which methods marked `fresh` are refused.
STALE_AFTER = 10.0
_EVERY = 1.0


@dataclass(frozen=True)
class Trust:
    """`keys` by key id; `revoked` maps a subject or session to the instant (ms since 1970) before
    which its tokens are void."""

    keys: Mapping[str, PyJWK] = field(default_factory=dict)
    revoked: Mapping[str, int] = field(default_factory=dict)


class TrustPoller:
    """Asks for the present trust each second and keeps the last answer when nobody answers."""

    def __init__(self, fetch: Callable[[], Trust]) -> None:
        self._fetch = fetch
        self._heard_at: float | None = None
        self.trust = Trust()

    def start(self) -> None:
        """Polls in a daemon thread from now on."""
        threading.Thread(target=self._poll_forever, name="trust", daemon=True).start()

    @property
    def age(self) -> float:
        """Seconds since the last answer; infinite before the first."""
        return float("inf") if self._heard_at is None else time.monotonic() - self._heard_at

    @property
    def stale(self) -> bool:
        return self.age > STALE_AFTER

    def poll(self) -> None:
        """Asks once; raises what the question raises."""
        asked_at = time.monotonic()
        self.trust = self._fetch()
        self._heard_at = asked_at

    def _poll_forever(self) -> None:
        failing = False
        while True:
            try:
                self.poll()
                failing = False
            except Exception as error:
                if not failing:
                    log.warning("trust not heard", error=type(error).__name__)
                failing = True
            metrics.trust_age.set(min(self.age, 1e9))
            time.sleep(_EVERY)


def trust_of(answer: Any) -> Trust:
    """The trust in a GetTrustResponse."""
    keys = {
        key.kid: PyJWK(
            {"kty": key.kty, "crv": key.crv, "x": key.x, "y": key.y, "kid": key.kid}, algorithm="ES256"
        )
        for key in answer.key_set.keys
    }
    return Trust(keys, {r.subject_id: r.issued_before.ToMilliseconds() for r in answer.revocations})
