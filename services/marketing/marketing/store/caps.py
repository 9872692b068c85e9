"""Frequency caps as rows; what nobody has changed yet is as the product comes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketing.domain.campaign import Channel
from marketing.domain.frequency import PRESETS, FrequencyCap

_OF = "select messages, days, version from frequency_caps where channel = %(channel)s"
_SAVE = """
    insert into frequency_caps (channel, version, messages, days, updated_at)
    values (%(channel)s, %(version)s, %(messages)s, %(days)s, %(now)s)
    on conflict (channel) do update set version = excluded.version, messages = excluded.messages,
        days = excluded.days, updated_at = excluded.updated_at
"""


class CapRepository:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def of(self, channel: Channel) -> FrequencyCap:
        """The cap in force."""
        row = self._session.connection().exec_driver_sql(_OF, {"channel": channel.value}).first()
        if row is None:
            [preset] = [cap for cap in PRESETS if cap.channel is channel]
            return preset
        return FrequencyCap(channel, row.messages, row.days, row.version)

    def save(self, cap: FrequencyCap) -> None:
        values = {"channel": cap.channel.value, "version": cap.version}
        limits = {"messages": cap.messages, "days": cap.days, "now": self._now}
        self._session.connection().exec_driver_sql(_SAVE, values | limits)
