"""What the customer service hears: the orders that sales tells, and who belongs to which team."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from crm.customer.v1.events_pb2 import CustomersClassified, CustomersExported, GroupsChanged
from crm.sales.v1.events_pb2 import OrdersRecorded
from customer.usecases.classify_customers import apply_orders
from customer.usecases.ports import OrderRow, Work
from kernel.bus.directory import FollowsDirectory
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.pure.ids import parse_id

# Told by this service, heard by no other yet.
nobody_yet = frozenset({CustomersClassified, CustomersExported, GroupsChanged})


class CustomerEvents(FollowsDirectory):
    @hears(OrdersRecorded, together=True)
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
