"""What the sales service hears: whose customers are whose, who is read through whom, what customers do with
messages, and who belongs to which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersMerged, CustomersRecorded
from crm.marketing.v1.events_pb2 import MessagesChanged
from crm.sales.v1.events_pb2 import LeadsChanged, OpportunitiesChanged, ProductsRecorded
from kernel.bus import facts
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import PATIENCE, hears
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.pure.erasure import Erasure
from kernel.pure.ids import parse_id
from sales.domain import events as domain
from sales.domain.scoring import Mail
from sales.usecases.erase_customers import erase_customers
from sales.usecases.ports import CustomerRow, Work
from sales.usecases.score_leads import note_mails

# Told by this service, heard by no other yet.
nobody_yet = frozenset({LeadsChanged, OpportunitiesChanged, ProductsRecorded})


class SalesEvents(FollowsDirectory, FollowsPrivacy):
    """An id that is none can't be mended by waiting: Invalid sends the event to the dead letters."""

    receipt = domain.SubjectErased

    def erase(self, work: Any, subject_ids: Sequence[UUID]) -> Erasure:
        """What sales holds of a person goes, but for signed contracts."""
        return erase_customers(work, subject_ids)

    @hears(CustomersRecorded, about=["customers.customer_id"], together=True, patience=PATIENCE)
    def follow_customers(self, work: Work, event: CustomersRecorded, envelope: Envelope) -> None:
        work.customers.apply(
            CustomerRow(
                customer_id=parse_id(told.customer_id, "customer_id"),
                version=told.version,
                owner_id=parse_id(told.owner_id, "owner_id") if told.owner_id else None,
                collaborator_ids=tuple(parse_id(text, "collaborator_ids") for text in told.collaborator_ids),
                deleted=told.deleted,
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

    @hears(MessagesChanged, about=["messages.customer_id"])
    def follow_messages(self, work: Work, event: MessagesChanged, envelope: Envelope) -> None:
        """Whoever opens messages is more likely to buy: their leads are scored anew."""
        note_mails(
            work,
            [
                Mail(
                    message_id=parse_id(told.message_id, "message_id"),
                    customer_id=parse_id(told.customer_id, "customer_id"),
                    opened_at=facts.instant(told.opened_at, "opened_at") if told.opened_at else None,
                    clicked_at=facts.instant(told.clicked_at, "clicked_at") if told.clicked_at else None,
                )
                for told in event.messages
                if told.channel == "email"
            ],
        )
