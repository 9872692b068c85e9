"""What the marketing service hears: consents, restrictions and erasures, which customers are one human, and
who belongs to which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersMerged
from crm.marketing.v1.events_pb2 import CampaignsChanged
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
nobody_yet = frozenset({CampaignsChanged})


class MarketingEvents(FollowsDirectory, FollowsPrivacy):
    receipt = SubjectErased

    def erase(self, work: UnitOfWork, subject_ids: Sequence[UUID]) -> Erasure:
        """Marketing holds ids and states only: what waits goes, the counts stay."""
        return erase_recipients(cast(Work, work), subject_ids)

    @hears(CustomersMerged, about=["links.absorbed_id", "links.survivor_id"], together=True)
    def follow_links(self, work: Work, event: CustomersMerged, envelope: Envelope) -> None:
        work.links.apply(
            (
                parse_id(told.absorbed_id, "absorbed_id"),
                parse_id(told.survivor_id, "survivor_id") if told.survivor_id else None,
                told.version,
            )
            for told in event.links
        )

    @hears(ConsentsChanged, about=["consents.subject_id"])
    def follow_consents(self, work: Work, event: ConsentsChanged, envelope: Envelope) -> None:
        follow_consents(
            work,
            [
                (parse_id(told.subject_id, "subject_id"), told.purpose, told.channel, told.state)
                for told in event.consents
            ],
        )
