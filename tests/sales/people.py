"""Callers of the sales service, and the projections that say what they see."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.sql import staff
from sales.usecases.ports import CustomerRow
from sales.wiring import SalesApp

ERP = Principal(
    PrincipalKind.SERVICE_ACCOUNT,
    str(new_id()),
    {
        "sales.orders.write": Scope.ALL,
        "sales.orders.read": Scope.ALL,
        "sales.products.write": Scope.ALL,
        "sales.products.read": Scope.ALL,
    },
)


def reader(scope: Scope, user_id: UUID | None = None, customer_id: UUID | None = None) -> Principal:
    """A user who reads orders and products as far as `scope` reaches."""
    grants = {"sales.orders.read": scope, "sales.products.read": scope}
    return Principal(PrincipalKind.USER, str(user_id or new_id()), grants, customer_id=customer_id)


def owners(app: SalesApp, owner_of: Mapping[UUID, UUID | None]) -> None:
    """The customer service has told whose customers these are."""
    with app.work(Principal.service("sales")) as work:
        work.customers.apply(CustomerRow(customer, 1, owner) for customer, owner in owner_of.items())


def teams(app: SalesApp, paths: Mapping[UUID, list[UUID]], members: Mapping[UUID, UUID]) -> None:
    """The gateway has told the tree of teams, and the team of each user."""
    with app.work(Principal.service("sales")) as work:
        staff.record_teams(work.session, [(team, 1, path) for team, path in paths.items()])
        staff.record_users(work.session, [(user, 1, team, False) for user, team in members.items()])
