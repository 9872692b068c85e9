"""What the customer service hears: the orders, deals and contracts that sales tells, the tickets that
ticketing tells, whose data must rest or go, and who belongs to which team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersExported, GroupsChanged
from crm.privacy.v1.events_pb2 import SubjectsRestricted
from crm.sales.v1.events_pb2 import ContractsChanged, OpportunityWon, OrdersRecorded
from crm.ticketing.v1.events_pb2 import TicketsChanged
from customer.domain.events import SubjectErased
from customer.domain.told import ContractRow, DealRow, TicketRow
from customer.usecases.classify_customers import apply_orders
from customer.usecases.erase_subjects import erase_subjects
from customer.usecases.ports import OrderRow, Work
from kernel.bus import facts
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
                    ordered_on=facts.day(told.ordered_on, "ordered_on"),
                    status=told.status,
                    base_amount=facts.amount(told.base_amount, "base_amount"),
                )
                for told in event.orders
            ],
        )

    @hears(OpportunityWon, about=["customer_id"])
    def follow_deals(self, work: Work, event: OpportunityWon, envelope: Envelope) -> None:
        """The customer has a deal (已成交) by this contract."""
        work.deals.apply(
            DealRow(
                opportunity_id=parse_id(event.opportunity_id, "opportunity_id"),
                version=event.version,
                customer_id=parse_id(event.customer_id, "customer_id"),
                contract_id=parse_id(event.contract_id, "contract_id"),
                amount=facts.amount(event.amount, "amount"),
                currency=event.currency,
                won_at=facts.instant(event.won_at, "won_at"),
            )
        )

    @hears(ContractsChanged, about=["contracts.customer_id"], together=True)
    def follow_contracts(self, work: Work, event: ContractsChanged, envelope: Envelope) -> None:
        """A deal whose contract was cancelled is none any more."""
        work.deals.apply_contracts(
            [
                ContractRow(
                    contract_id=parse_id(told.contract_id, "contract_id"),
                    version=told.version,
                    customer_id=parse_id(told.customer_id, "customer_id"),
                    status=told.status,
                )
                for told in event.contracts
            ]
        )

    @hears(TicketsChanged, about=["tickets.customer_id"], together=True)
    def follow_tickets(self, work: Work, event: TicketsChanged, envelope: Envelope) -> None:
        """What becomes of a customer's concerns stands in their timeline."""
        work.tickets.apply(
            [
                TicketRow(
                    ticket_id=parse_id(told.ticket_id, "ticket_id"),
                    version=told.version,
                    customer_id=parse_id(told.customer_id, "customer_id") if told.customer_id else None,
                    number=told.number,
                    kind=told.kind,
                    status=told.status,
                    priority=told.priority,
                    channel=told.channel,
                    opened_at=facts.instant(told.opened_at, "opened_at"),
                    answered_at=facts.instant(told.answered_at, "answered_at") if told.answered_at else None,
                    closed_at=facts.instant(told.closed_at, "closed_at") if told.closed_at else None,
                )
                for told in event.tickets
            ]
        )
