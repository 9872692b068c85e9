"""The frequency cap of a channel is changed."""

from __future__ import annotations

from marketing.domain.campaign import Channel
from marketing.domain.frequency import FrequencyCap, read_cap
from marketing.usecases.ports import Work


def change_cap(work: Work, channel: Channel | None, messages: int, days: int) -> FrequencyCap:
    """The cap as it binds from now on. Raises Invalid."""
    version = work.caps.of(channel).version + 1 if channel else 1
    cap = read_cap(channel, messages, days, version)
    work.caps.save(cap)
    work.audit("update", "frequency_cap", cap.channel.value, messages=messages, days=days, version=version)
    return cap
