"""Messages that went out, and what was found of each: a message, never whom it went to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.uow import UnitOfWork
from privacy.domain.purposes import Basis
from privacy.domain.sends import Recorded, Send, Terms
from privacy.store.consents import SUBJECT, said_of
from privacy.store.persons import MEMBERS

_KNOWN = "select message_id from sends where message_id = any(%(ids)s)"
_TERMS = "select basis from purposes where id = %(purpose)s"
_NOTICES = "select major_version, published_at from notices where purpose_id = %(purpose)s"
_TOLD = """
    select * from consent_events
    where subject_ref = any(%(refs)s::bytea[]) and purpose_id = %(purpose)s and channel in (%(channel)s, '*')
"""
_KEEP = """
    insert into sends (message_id, campaign_id, purpose_id, channel, consent_id, attempted_at, fault,
                       found_at)
    values (%(message_id)s, %(campaign_id)s, %(purpose_id)s, %(channel)s, %(consent_id)s, %(attempted_at)s,
            %(fault)s, %(found_at)s)
    on conflict do nothing
"""


class SendRepository:
    def __init__(self, work: UnitOfWork, blind: BlindIndex, now: datetime) -> None:
        self._work = work
        self._blind = blind
        self._now = now

    def new(self, sends: Sequence[Send]) -> list[Send]:
        """Those that were not examined yet, in the order of their ids."""
        rows = self._work.reader.rows(_KNOWN, {"ids": [send.message_id for send in sends]})
        known = {row.message_id for row in rows}
        fresh = {send.message_id: send for send in sends if send.message_id not in known}
        return [fresh[message_id] for message_id in sorted(fresh)]

    def terms(self, purpose_id: str) -> Terms | None:
        """None when there is no such purpose."""
        purpose = {"purpose": purpose_id}
        row = self._work.reader.row(_TERMS, purpose)
        if row is None:
            return None
        notices = self._work.reader.rows(_NOTICES, purpose)
        return Terms(Basis(row.basis), [(one.major_version, one.published_at) for one in notices])

    def told(self, send: Send) -> list[Recorded]:
        """What the person said, by whichever of their ids, of the purpose on the channel or on all."""
        reader = self._work.reader
        members = {row.member for row in reader.rows(MEMBERS, {"ids": [send.subject_id]})}
        refs = self._blind.tokens(SUBJECT, [str(member) for member in sorted(members)])
        asked = {"refs": refs, "purpose": send.purpose_id, "channel": send.channel.value}
        return [Recorded(said_of(row, send.subject_id), row.recorded_at) for row in reader.rows(_TOLD, asked)]

    def keep(self, send: Send, fault: str) -> None:
        """`fault` is "" when all was right."""
        values = {"channel": send.channel.value, "fault": fault, "found_at": self._now}
        self._work.session.connection().exec_driver_sql(_KEEP, vars(send) | values)
