"""Erases one person's letters as a service does: python follower.py REQUEST PERSON"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import text

from crm.privacy.v1.events_pb2 import ErasureOrdered
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.ops.settings import Settings
from kernel.pure.erasure import Erasure, Receipt
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork


class Sales(App):
    service = "sales"


class SubjectErased(Receipt):
    type: ClassVar[str] = "crm.sales.v1.SubjectErased"


class Follower(FollowsPrivacy):
    receipt = SubjectErased

    def erase(self, work: UnitOfWork, subject_ids: Sequence[UUID]) -> Erasure:
        gone = work.session.execute(
            text("delete from letters where person_id = any(:ids)"), {"ids": list(subject_ids)}
        )
        return Erasure({"letters": gone.rowcount})


request, person = sys.argv[1:]
app = Sales(Settings())
event = ErasureOrdered(request_id=request, attempt=1, subject_ids=[person])
envelope = Envelope(new_id(), "crm.privacy.v1.ErasureOrdered", "/crm/privacy", "", datetime.now(UTC), "")
with app.work(Principal.service("sales")) as work:
    Follower().erase_subjects(work, event, envelope)
app.close()
