"""What the sales service hears: whose customers are whose, and who belongs to which team."""

from __future__ import annotations

from uuid import UUID

from crm.customer.v1.events_pb2 import CustomersRecorded
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.sales.v1.events_pb2 import ProductsRecorded
from kernel.bus.entrypoint import hears
from kernel.bus.envelope import Envelope
from kernel.pure.ids import parse_id
from kernel.sql import staff
from kernel.sql.uow import UnitOfWork
from sales.usecases.ports import Work

# Told by this service, heard by no other yet.
nobody_yet = frozenset({ProductsRecorded})


class SalesEvents:
    """An id that is none can't be mended by waiting: Invalid sends the event to the dead letters."""

    @hears(CustomersRecorded)
    def follow_customers(self, work: Work, event: CustomersRecorded, envelope: Envelope) -> None:
        work.customers.apply(
            (parse_id(told.customer_id, "customer_id"), told.version, _optional(told.owner_id, "owner_id"))
            for told in event.customers
        )

    @hears(UsersRecorded)
    def follow_users(self, work: UnitOfWork, event: UsersRecorded, envelope: Envelope) -> None:
        users = [
            (
                parse_id(told.user_id, "user_id"),
                told.version,
                _optional(told.team_id, "team_id"),
                told.disabled,
            )
            for told in event.users
        ]
        staff.record_users(work.session, users)

    @hears(TeamsRecorded)
    def follow_teams(self, work: UnitOfWork, event: TeamsRecorded, envelope: Envelope) -> None:
        teams = [
            (parse_id(told.team_id, "team_id"), told.version, [parse_id(step, "path") for step in told.path])
            for told in event.teams
        ]
        staff.record_teams(work.session, teams)


def _optional(text: str, field: str) -> UUID | None:
    return parse_id(text, field) if text else None
