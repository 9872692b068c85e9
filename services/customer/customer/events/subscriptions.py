"""What the customer service hears: the orders that sales tells, whose data must rest or go, and who belongs
to which team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersExported, GroupsChanged
from crm.privacy.v1.events_pb2 import SubjectsRestricted
from crm.sales.v1.events_pb2 import OrdersRecorded
from customer.domain.events import SubjectErased
from customer.usecases.classify_customers import apply_orders
from customer.usecases.erase_subjects import erase_subjects
from customer.usecases.ports import OrderRow, Work
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.bus.privacy import FollowsPrivacy
from kernel.pure.erasure import Erasure
from kernel.pure.ids import parse_id

# Told by this service, heard by no other yet.
nobody_yet = frozenset({CustomersExported, GroupsChanged})


class CustomerEvents(FollowsDirectory, FollowsPrivacy):
    receipt = SubjectErased

    def erase(self, work: Any, subject_ids: Sequence[UUID]) -> Erasure:
        return erase_subjects(work, subject_ids)

    @hears(SubjectsRestricted)
    def follow_restrictions(self, work: Any, event: SubjectsRestricted, envelope: Envelope) -> None:
        super().follow_restrictions(work, event, envelope)
        work.erasing.rest([parse_id(told.subject_id, "subject_id") for told in event.subjects])

    @hears(OrdersRecorded, about=["orders.customer_id"], together=True)
    def apply_orders(self, work: Work, event: OrdersRecorded, envelope: Envelope) -> None:
        apply_orders(
            work,
            [
                OrderRow(
                    order_id=parse_id(told.order_id, "order_id"),
                    version=told.version,
                    customer_id=parse_id(told.customer_id, "customer_id"),
                    ordered_on=date.fromisoformat(told.ordered_on),
                    status=told.status,
                    base_amount=Decimal(told.base_amount),
                )
                for told in event.orders
            ],
        )
