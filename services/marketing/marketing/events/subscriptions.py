"""What the marketing service hears: consents, restrictions and erasures, and who belongs to which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from crm.marketing.v1.events_pb2 import CampaignsChanged, MessagesChanged
from crm.privacy.v1.events_pb2 import ConsentsChanged
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.pure.erasure import Erasure
from kernel.pure.ids import parse_id
from kernel.sql.uow import UnitOfWork
from marketing.domain.events import SubjectErased
from marketing.usecases.erase_recipients import erase_recipients
from marketing.usecases.note_engagement import follow_consents
from marketing.usecases.ports import Work

# Told by this service, heard by no other yet.
nobody_yet = frozenset({CampaignsChanged, MessagesChanged})


class MarketingEvents(FollowsDirectory, FollowsPrivacy):
    receipt = SubjectErased

    def erase(self, work: UnitOfWork, subject_ids: Sequence[UUID]) -> Erasure:
        """Marketing holds ids and states only: what waits goes, the counts stay."""
        return erase_recipients(cast(Work, work), subject_ids)

    @hears(ConsentsChanged, about=["consents.subject_id"])
    def follow_consents(self, work: Work, event: ConsentsChanged, envelope: Envelope) -> None:
        follow_consents(
            work,
            [
                (parse_id(told.subject_id, "subject_id"), told.purpose, told.channel, told.state)
                for told in event.consents
            ],
        )
