"""What the privacy service hears: which persons there are, what was erased, what every service audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from crm.customer.v1 import events_pb2 as customer
from crm.customer.v1.events_pb2 import CustomersMerged, CustomersRecorded
from crm.event.v1.events_pb2 import AuditSealed
from crm.marketing.v1 import events_pb2 as marketing
from crm.privacy.v1 import events_pb2 as own
from crm.sales.v1 import events_pb2 as sales
from crm.ticketing.v1 import events_pb2 as ticketing
from kernel.bus import facts
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import PATIENCE, hears
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.ops.logs import logger
from kernel.pure.audit_chain import AuditEntry, Checkpoint
from kernel.pure.erasure import ErasedRows, Erasure, RetainedRows
from kernel.pure.ids import parse_id
from privacy.domain.audit import Batch
from privacy.domain.consents import Channel, Proof, Via
from privacy.domain.erasure import Answer
from privacy.domain.events import SubjectErased
from privacy.domain.sends import Send
from privacy.usecases.erase_subjects import take_receipt
from privacy.usecases.examine_sends import examine_sends
from privacy.usecases.forget_subject import forget_subject
from privacy.usecases.keep_audit import keep_audit
from privacy.usecases.ports import PersonRow, Work
from privacy.usecases.record_consents import withdraw

_log = logger(__name__)

# Told by this service, heard by no other yet.
nobody_yet = frozenset({own.ErasureClosed})


class PrivacyEvents(FollowsDirectory, FollowsPrivacy):
    """An id that is none can't be mended by waiting: Invalid sends the event to the dead letters.

    The service is a participant of its own erasures: it hears its orders as every other does.
    """

    receipt = SubjectErased

    def erase(self, work: Any, subject_ids: Sequence[UUID]) -> Erasure:
        return forget_subject(work, subject_ids)

    @hears(own.SubjectErased)
    def take_own_receipt(self, work: Work, event: own.SubjectErased, envelope: Envelope) -> None:
        _take_receipt(work, event, envelope)

    @hears(marketing.SubjectErased)
    def take_marketing_receipt(self, work: Work, event: marketing.SubjectErased, envelope: Envelope) -> None:
        _take_receipt(work, event, envelope)

    @hears(marketing.RecipientUnsubscribed, about=["customer_id"])
    def withdraw_unsubscribed(
        self, work: Work, event: marketing.RecipientUnsubscribed, envelope: Envelope
    ) -> None:
        """The link in the message is the proof: it was given to nobody else."""
        withdraw(
            work,
            parse_id(event.customer_id, "customer_id"),
            event.purpose,
            facts.choice(Channel, event.channel, "channel"),
            Via.WEB,
            Proof(message_id=event.message_id),
        )

    @hears(marketing.MessagesChanged, about=["messages.customer_id"])
    def examine_sends(self, work: Work, event: marketing.MessagesChanged, envelope: Envelope) -> None:
        """Whatever left the house, or may have, is looked at once more."""
        found = examine_sends(
            work, [_send(told) for told in event.messages if told.state in ("sent", "unknown")]
        )
        if found:
            _log.error("messages sent without a living consent", messages=found)

    @hears(sales.SubjectErased)
    def take_receipt_of_sales(self, work: Work, event: sales.SubjectErased, envelope: Envelope) -> None:
        _take_receipt(work, event, envelope)

    @hears(customer.SubjectErased)
    def take_receipt_of_customer(self, work: Work, event: customer.SubjectErased, envelope: Envelope) -> None:
        _take_receipt(work, event, envelope)

    @hears(ticketing.SubjectErased)
    def take_receipt_of_ticketing(
        self, work: Work, event: ticketing.SubjectErased, envelope: Envelope
    ) -> None:
        _take_receipt(work, event, envelope)

    @hears(CustomersRecorded, about=["customers.customer_id"], together=True, patience=PATIENCE)
    def follow_persons(self, work: Work, event: CustomersRecorded, envelope: Envelope) -> None:
        work.persons.apply(
            PersonRow(
                person_id=parse_id(told.customer_id, "customer_id"),
                version=told.version,
                owner_id=parse_id(told.owner_id, "owner_id") if told.owner_id else None,
                collaborator_ids=tuple(parse_id(text, "collaborator_ids") for text in told.collaborator_ids),
                deleted=told.deleted,
            )
            for told in event.customers
            # Only persons are data subjects.
            if told.kind == "person"
        )

    @hears(CustomersMerged, about=["links.absorbed_id", "links.survivor_id"], together=True)
    def follow_links(self, work: Work, event: CustomersMerged, envelope: Envelope) -> None:
        work.persons.link(
            (
                parse_id(told.absorbed_id, "absorbed_id"),
                parse_id(told.survivor_id, "survivor_id") if told.survivor_id else None,
                told.version,
            )
            for told in event.links
        )

    @hears(AuditSealed)
    def keep_audit(self, work: Work, event: AuditSealed, envelope: Envelope) -> None:
        keep_audit(
            work,
            Batch(
                service=envelope.source.rpartition("/")[2],
                first=int(event.first_position),
                previous=facts.digest(event.previous_hash, "previous_hash"),
                entries=[AuditEntry(**_texts(entry)) for entry in event.entries],
                hash=facts.digest(event.hash, "hash"),
                checkpoint=Checkpoint(**_texts(event.checkpoint)) if event.HasField("checkpoint") else None,
            ),
        )


def _send(told: marketing.MessagesChanged.Item) -> Send:
    return Send(
        message_id=parse_id(told.message_id, "message_id"),
        campaign_id=parse_id(told.campaign_id, "campaign_id"),
        subject_id=parse_id(told.customer_id, "customer_id"),
        purpose_id=told.purpose,
        channel=facts.choice(Channel, told.channel, "channel"),
        consent_id=parse_id(told.consent_id, "consent_id") if told.consent_id else None,
        attempted_at=facts.instant(told.attempted_at, "attempted_at"),
    )


def _take_receipt(work: Work, event: Any, envelope: Envelope) -> None:
    """The SubjectErased of any service: they are alike, and the envelope tells whose it is."""
    answer = Answer(
        participant=envelope.source.rpartition("/")[2],
        attempt=event.attempt,
        counts=[ErasedRows(one.table, one.rows) for one in event.counts],
        retained=[RetainedRows(one.basis, facts.day(one.until, "until"), one.rows) for one in event.retained],
    )
    take_receipt(work, parse_id(event.request_id, "request_id"), answer)


def _texts(message: Message) -> dict[str, str]:
    """The fields of a message that has texts only."""
    return {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
