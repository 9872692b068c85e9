"""How often one customer may be written to on a channel, by all campaigns together (M-06)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.pure.errors import Checks
from marketing.domain.campaign import Channel

_MOST_MESSAGES, _MOST_DAYS = 100, 366


@dataclass(frozen=True)
class FrequencyCap:
    """At most `messages` within any `days` days. `version` grows with every change."""

    channel: Channel
    messages: int
    days: int
    version: int = 1

    def since(self, now: datetime) -> datetime:
        """From when on messages count."""
        return now - timedelta(days=self.days)

    def allows(self, attempts: Iterable[datetime], now: datetime) -> bool:
        """Whether one more may be attempted now, after those at `attempts`."""
        since = self.since(now)
        return sum(attempt > since for attempt in attempts) < self.messages


# What an installation begins with.
PRESETS = (FrequencyCap(Channel.EMAIL, messages=4, days=7),)


def read_cap(channel: Channel | None, messages: int, days: int, version: int) -> FrequencyCap:
    """A cap as somebody wants it. Raises Invalid naming each wrong field."""
    checks = Checks()
    if channel is None:
        checks.refuse("cap.channel", "REQUIRED", "must name a channel", "必须指明渠道")
    if not 0 <= messages <= _MOST_MESSAGES:
        checks.refuse(
            "cap.messages", "RANGE", f"must be 0 to {_MOST_MESSAGES}", f"应为 0 至 {_MOST_MESSAGES}"
        )
    if not 1 <= days <= _MOST_DAYS:
        checks.refuse("cap.days", "RANGE", f"must be 1 to {_MOST_DAYS}", f"应为 1 至 {_MOST_DAYS}")
    checks.raise_if_any()
    assert channel is not None
    return FrequencyCap(channel, messages, days, version)
