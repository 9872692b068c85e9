"""What is known of persons who would be reached, asked for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kernel.sql import subjects
from kernel.sql.uow import UnitOfWork
from privacy.domain.consents import Channel, State
from privacy.domain.errors import PurposeNotFound
from privacy.domain.permits import Standing, Wish
from privacy.domain.purposes import Basis
from privacy.store.persons import MEMBERS

_TERMS = """
    select basis, coalesce(
        (select max(major_version) from notices where purpose_id = p.id), 0) as major_version
    from purposes p where id = %(purpose)s
"""
_WISHES = """
    select distinct on (told.asked) told.asked, c.event_id, c.state, c.expires_at, c.major_version
    from unnest(%(asked)s::uuid[], %(members)s::uuid[]) told(asked, member)
    join consents c on c.subject_id = told.member
    where c.purpose_id = %(purpose)s and c.channel in (%(channel)s, '*')
    order by told.asked, c.effective_at desc, c.weight desc, c.event_id desc
"""


class StandingRepository:
    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def terms(self, purpose_id: str) -> tuple[Basis, int]:
        """Legal basis and major version of the notices of a purpose. Raises PurposeNotFound."""
        row = self._work.reader.row(_TERMS, {"purpose": purpose_id})
        if row is None:
            raise PurposeNotFound
        return Basis(row.basis), row.major_version

    def of(self, subject_ids: Sequence[UUID], purpose_id: str, channel: Channel) -> list[Standing]:
        """What is known of each, in order."""
        reader = self._work.reader
        members: dict[UUID, set[UUID]] = defaultdict(set)
        for row in reader.rows(MEMBERS, {"ids": list(subject_ids)}):
            members[row.asked].add(row.member)
        pairs = [(asked, member) for asked, ids in members.items() for member in ids]
        params = {
            "asked": [asked for asked, _ in pairs],
            "members": [member for _, member in pairs],
            "purpose": purpose_id,
            "channel": channel.value,
        }
        wishes = {row.asked: _wish(row) for row in reader.rows(_WISHES, params)}
        everyone = {member for _, member in pairs}
        resting = subjects.restricted(reader, everyone)
        gone = subjects.erased(self._work, everyone)
        return [
            Standing(
                subject_id,
                wishes.get(subject_id),
                restricted=not resting.isdisjoint(members[subject_id]),
                erased=not gone.isdisjoint(members[subject_id]),
            )
            for subject_id in subject_ids
        ]


def _wish(row: Any) -> Wish:
    return Wish(row.event_id, State(row.state), row.expires_at, row.major_version)
