"""What the customer service hears."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersClassified
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.sales.v1.events_pb2 import OrdersRecorded
from customer.usecases.classify_customers import apply_orders
from customer.usecases.ports import OrderRow
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.sql import staff


class Subscriptions:
    @hears(OrdersRecorded)
    def apply_orders(self, work: Any, event: OrdersRecorded, envelope: Envelope) -> None:
        apply_orders(
            work,
            [
                OrderRow(
                    order_id=UUID(item.order_id),
                    version=item.version,
                    customer_id=UUID(item.customer_id),
                    ordered_on=date.fromisoformat(item.ordered_on),
                    status=item.status,
                    base_amount=Decimal(item.base_amount),
                )
                for item in event.orders
            ],
        )

    @hears(UsersRecorded)
    def record_users(self, work: Any, event: UsersRecorded, envelope: Envelope) -> None:
        staff.record_users(
            work.session,
            [
                (UUID(u.user_id), u.version, UUID(u.team_id) if u.team_id else None, u.disabled)
                for u in event.users
            ],
        )

    @hears(TeamsRecorded)
    def record_teams(self, work: Any, event: TeamsRecorded, envelope: Envelope) -> None:
        staff.record_teams(
            work.session, [(UUID(t.team_id), t.version, [UUID(i) for i in t.path]) for t in event.teams]
        )


# Told by this service, heard by no other yet.
nobody_yet = frozenset({CustomersClassified})
