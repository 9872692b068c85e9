"""Following the privacy service, as every service does that holds data of persons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectsRestricted
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.pure.erasure import ErasedRows, Erasure, Receipt
from kernel.pure.ids import parse_id
from kernel.sql import subjects
from kernel.sql.idempotency import erase_answers
from kernel.sql.uow import UnitOfWork


class FollowsPrivacy:
    """Subscriptions of a service inherit it, name their receipt and say what erasing is there."""

    # The service's own SubjectErased.
    receipt: ClassVar[type[Receipt]]

    def erase(self, work: UnitOfWork, subject_ids: Sequence[UUID]) -> Erasure:
        """Erases all that the service holds of these, who are one person; a second time finds nothing.

        The keys are destroyed by the caller.
        """
        raise TypeError(f"{type(self).__name__} does not say how it erases")

    @hears(SubjectsRestricted, together=True)
    def follow_restrictions(self, work: UnitOfWork, event: SubjectsRestricted, envelope: Envelope) -> None:
        told = [
            (parse_id(item.subject_id, "subject_id"), item.version, item.restricted)
            for item in event.subjects
        ]
        subjects.restrict(work.session, told)

    @hears(ErasureOrdered)
    def erase_subjects(self, work: UnitOfWork, event: ErasureOrdered, envelope: Envelope) -> None:
        """Rows, keys and tombstones; a kill in between repeats what was done, which is nothing then."""
        request_id = parse_id(event.request_id, "request_id")
        subject_ids = [parse_id(text, "subject_ids") for text in event.subject_ids]
        done = self.erase(work, subject_ids)
        subjects.remember_erased(work, subject_ids, request_id)
        answers = erase_answers(work, subject_ids)
        keys = work.app.keyring.destroy(subject_ids, done.key_classes)
        rows = {**done.rows, "answers": answers, "keys": keys}
        work.audit("erase", "erasure_request", request_id, attempt=event.attempt, rows=sum(rows.values()))
        counts = tuple(ErasedRows(table, count) for table, count in rows.items())
        work.record(self.receipt(request_id, event.attempt, counts, tuple(done.retained)))
