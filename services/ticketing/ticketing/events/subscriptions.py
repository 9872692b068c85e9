"""What the ticketing service hears: customers, their classes and links, and who is in which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersClassified, CustomersMerged, CustomersRecorded
from crm.ticketing.v1.events_pb2 import ResponseClockBreached, ResponseClockDue, SurveyAnswered
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import PATIENCE, hears
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.pure.erasure import Erasure
from kernel.pure.ids import parse_id
from ticketing.domain.events import SubjectErased
from ticketing.usecases.erase_customers import erase_customers
from ticketing.usecases.ports import ClassRow, CustomerRow, Work

# Told by this service, heard by no other yet.
nobody_yet = frozenset({ResponseClockDue, ResponseClockBreached, SurveyAnswered})


class TicketingEvents(FollowsDirectory, FollowsPrivacy):
    """An id that is none can't be mended by waiting: Invalid sends the event to the dead letters."""

    receipt = SubjectErased

    def erase(self, work: Any, subject_ids: Sequence[UUID]) -> Erasure:
        """Words, mails and addresses go; tickets stay as figures."""
        return erase_customers(work, subject_ids)

    @hears(CustomersRecorded, about=["customers.customer_id"], together=True, patience=PATIENCE)
    def follow_customers(self, work: Work, event: CustomersRecorded, envelope: Envelope) -> None:
        work.customers.apply(
            CustomerRow(parse_id(told.customer_id, "customer_id"), told.version, told.kind, told.deleted)
            for told in event.customers
        )

    @hears(CustomersClassified, about=["customers.customer_id"], together=True, patience=PATIENCE)
    def follow_classes(self, work: Work, event: CustomersClassified, envelope: Envelope) -> None:
        work.customers.classify(
            ClassRow(
                parse_id(told.customer_id, "customer_id"), told.scheme, told.version, getattr(told, "class")
            )
            for told in event.customers
        )

    @hears(CustomersMerged, about=["links.absorbed_id", "links.survivor_id"], together=True)
    def follow_links(self, work: Work, event: CustomersMerged, envelope: Envelope) -> None:
        work.customers.link(
            (
                parse_id(told.absorbed_id, "absorbed_id"),
                parse_id(told.survivor_id, "survivor_id") if told.survivor_id else None,
                told.version,
            )
            for told in event.links
        )
