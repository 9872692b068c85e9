"""What the privacy service hears: which persons there are, and what every service audited."""

from __future__ import annotations

from google.protobuf.message import Message

from crm.customer.v1.events_pb2 import CustomersMerged, CustomersRecorded
from crm.event.v1.events_pb2 import AuditSealed
from crm.privacy.v1.events_pb2 import (
    ConsentsChanged,
    ErasureClosed,
    ErasureOrdered,
    SubjectErased,
    SubjectsRestricted,
)
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.pure.audit_chain import AuditEntry, Checkpoint
from kernel.pure.ids import parse_id
from privacy.domain.audit import Batch
from privacy.usecases.keep_audit import keep_audit
from privacy.usecases.ports import PersonRow, Work

# Told by this service, heard by no other yet.
nobody_yet = frozenset({ConsentsChanged, SubjectsRestricted, ErasureOrdered, ErasureClosed, SubjectErased})


class PrivacyEvents(FollowsDirectory):
    """An id that is none can't be mended by waiting: Invalid sends the event to the dead letters."""

    @hears(CustomersRecorded)
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

    @hears(CustomersMerged)
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
                previous=bytes.fromhex(event.previous_hash),
                entries=[AuditEntry(**_texts(entry)) for entry in event.entries],
                hash=bytes.fromhex(event.hash),
                checkpoint=Checkpoint(**_texts(event.checkpoint)) if event.HasField("checkpoint") else None,
            ),
        )


def _texts(message: Message) -> dict[str, str]:
    """The fields of a message that has texts only."""
    return {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
