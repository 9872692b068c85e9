"""What becomes of the message to one recipient.

A marketing message is sent at most once: that it is attempted is committed before it leaves the house.
When the process dies in between, nobody knows whether it went out; it is `unknown` then, listed, and
never sent again (M-02, M-06).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID


class State(Enum):
    WAITING = "waiting"
    ATTEMPTED = "attempted"
    SENT = "sent"
    # Something forbids it: no consent, the cap, no address.
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


# States after which nothing more is tried.
ENDED = frozenset({State.SENT, State.SKIPPED, State.FAILED, State.UNKNOWN})


@dataclass(frozen=True)
class Message:
    """One recipient of a campaign. Instants are UTC."""

    id: UUID
    version: int
    campaign_id: UUID
    customer_id: UUID
    state: State = State.WAITING
    reason: str = ""
    consent_id: str = ""
    attempted_at: datetime | None = None
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    # The keyed hash of the address it goes to; None before it is attempted, and of the erased.
    address: bytes | None = None

    def attempted(self, consent_id: str, address: bytes, now: datetime) -> Message:
        """About to leave the house. Only a waiting one can be."""
        if self.state is not State.WAITING:
            raise ValueError(f"a message that is {self.state.value} is not sent again")
        return self._changed(state=State.ATTEMPTED, consent_id=consent_id, address=address, attempted_at=now)

    def sent(self, now: datetime) -> Message:
        return self._ended(State.SENT, "", sent_at=now)

    def failed(self, reason: str) -> Message:
        """The other side refused it for good."""
        return self._ended(State.FAILED, reason)

    def unknown(self, reason: str) -> Message:
        return self._ended(State.UNKNOWN, reason)

    def put_back(self) -> Message:
        """It did not leave the house, surely: it waits again."""
        if self.state is not State.ATTEMPTED:
            raise ValueError(f"a message that is {self.state.value} does not wait again")
        return self._changed(state=State.WAITING, consent_id="", address=None, attempted_at=None)

    def skipped(self, reason: str) -> Message:
        """Only a waiting one can be."""
        if self.state is not State.WAITING:
            raise ValueError(f"a message that is {self.state.value} can't be skipped")
        return self._changed(state=State.SKIPPED, reason=reason)

    def opened(self, now: datetime) -> Message:
        """The first time counts. Whoever opens one that is unknown shows that it went out."""
        return self if self.opened_at else self._changed(opened_at=now)

    def clicked(self, now: datetime) -> Message:
        """A click shows that it was opened, too."""
        seen = self.opened(now)
        return seen if seen.clicked_at else replace(seen, version=self.version + 1, clicked_at=now)

    def unsubscribed(self, now: datetime) -> Message:
        return self if self.unsubscribed_at else self._changed(unsubscribed_at=now)

    def _ended(self, state: State, reason: str, **changes: object) -> Message:
        if self.state is not State.ATTEMPTED:
            raise ValueError(f"a message that is {self.state.value} was not attempted")
        return self._changed(state=state, reason=reason, **changes)

    def _changed(self, **changes: object) -> Message:
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]
