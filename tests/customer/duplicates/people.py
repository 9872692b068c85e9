"""Teams, sellers and customers for the tests of duplicates."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from customer.domain.customer import Person, Profile
from customer.usecases.create_customers import create_customer
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from kernel.sql import staff
from tests.customer.conftest import seller

EVERYBODY = seller(Scope.ALL)
WANG = Person("王小明", phones=("+8613800000001",), birth_date="1980-01-02")


@dataclass(frozen=True)
class Team:
    id: UUID
    seller: Principal


def team(app: CustomerApp) -> Team:
    """A new team with one seller, who reaches only own customers."""
    team_id, user_id = new_id(), new_id()
    with app.work(Principal.service("customer")) as work:
        staff.record_teams(work.session, [(team_id, 1, [team_id])])
        staff.record_users(work.session, [(user_id, 1, team_id, False)])
    return Team(team_id, seller(Scope.OWN, user_id))


def known(app: CustomerApp, details: object, principal: Principal = EVERYBODY, **more: object) -> UUID:
    """A customer of the principal's, whoever else is like it."""
    with app.work(principal) as work:
        return create_customer(work, Profile(details, **more), allow_duplicate=True).id  # type: ignore[arg-type]
