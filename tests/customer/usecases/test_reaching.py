"""What is written names only owners, and tells only of holders of external ids, whom the caller reaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from customer.domain.customer import NOBODY, Company, ExternalId, Person, Profile
from customer.domain.errors import DuplicateElsewhere, ExternalIdTaken, OwnerOutOfReach, TooManyQuestions
from customer.usecases.create_customers import (
    Created,
    Existing,
    Outcome,
    Refused,
    create_customer,
    create_customers,
)
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.update_customer import update_customer
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.sql import staff
from tests.customer.conftest import seller

MANAGER = seller(Scope.ALL)
VERBS = ("read", "create", "update", "delete", "merge")


class Enterprise:
    """A head office with a branch below it and another office beside; somebody works in each."""

    def __init__(self, app: CustomerApp) -> None:
        self.head, self.branch, self.beside = new_id(), new_id(), new_id()
        self.me, self.colleague, self.below, self.stranger = (new_id() for _ in range(4))
        teams = [
            (self.head, 1, [self.head]),
            (self.branch, 1, [self.head, self.branch]),
            (self.beside, 1, [self.beside]),
        ]
        people = [(self.me, self.head), (self.colleague, self.head), (self.below, self.branch)]
        with app.work(Principal.service("customer")) as work:
            staff.record_teams(work.session, teams)
            staff.record_users(
                work.session,
                [(user, 1, team, False) for user, team in [*people, (self.stranger, self.beside)]],
            )
        self.owners = (self.me, self.colleague, self.below, self.stranger, NOBODY)

    def as_me(self, scope: Scope) -> Principal:
        grants = {f"customer.customers.{verb}": scope for verb in VERBS}
        return Principal(PrincipalKind.USER, str(self.me), grants)

    def reached(self, scope: Scope) -> set[UUID]:
        """By hand: whose customers are within each scope."""
        return {
            Scope.SELF: set(),
            Scope.OWN: {self.me},
            Scope.TEAM: {self.me, self.colleague},
            Scope.SUBTREE: {self.me, self.colleague, self.below},
            Scope.ALL: set(self.owners),
        }[scope]


@pytest.fixture
def enterprise(app: CustomerApp) -> Iterator[Enterprise]:
    yield Enterprise(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams")


def company(owner_id: UUID | None = None, *values: str) -> Profile:
    ids = tuple(ExternalId("erp", value) for value in values)
    return Profile(Company("海风餐饮"), owner_id=owner_id, external_ids=ids)


def create(app: CustomerApp, principal: Principal, profile: Profile) -> UUID:
    with app.work(principal) as work:
        return create_customer(work, profile, allow_duplicate=True).id


def create_many(app: CustomerApp, principal: Principal, *profiles: Profile) -> list[Outcome]:
    with app.work(principal) as work:
        return create_customers(work, profiles, allow_duplicate=True)


@pytest.mark.parametrize("scope", Scope)
def test_a_new_customer_is_given_only_to_owners_within_reach(
    app: CustomerApp, enterprise: Enterprise, scope: Scope
) -> None:
    me = enterprise.as_me(scope)
    accepted = set()
    for owner_id in enterprise.owners:
        with suppress(OwnerOutOfReach):
            create(app, me, company(owner_id))
            accepted.add(owner_id)
    assert accepted == enterprise.reached(scope)
    outcomes = create_many(app, me, *map(company, enterprise.owners))
    created = {o for o, said in zip(enterprise.owners, outcomes, strict=True) if isinstance(said, Created)}
    assert created == enterprise.reached(scope)
    refused = [said.error for said in outcomes if isinstance(said, Refused)]
    assert all(isinstance(error, OwnerOutOfReach) for error in refused)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.SELF])
def test_a_customer_is_handed_only_to_owners_within_reach(
    app: CustomerApp, enterprise: Enterprise, scope: Scope
) -> None:
    me = enterprise.as_me(scope)
    accepted = set()
    for owner_id in enterprise.owners:
        customer_id = create(app, me, company())

        def given(profile: Profile, owner_id: UUID = owner_id) -> Profile:
            return replace(profile, owner_id=owner_id)

        with suppress(OwnerOutOfReach), app.work(me) as work:
            accepted.add(update_customer(work, customer_id, "", given).owner_id)
    assert accepted == enterprise.reached(scope)


def test_who_keeps_the_owner_of_a_customer_need_not_reach_the_owner(
    app: CustomerApp, enterprise: Enterprise
) -> None:
    shared = replace(company(enterprise.stranger), collaborator_ids=(enterprise.me,))
    customer_id = create(app, MANAGER, shared)
    with app.work(enterprise.as_me(Scope.OWN)) as work:
        changed = update_customer(work, customer_id, "", lambda profile: replace(profile, city="杭州市"))
    assert (changed.owner_id, changed.profile.city) == (enterprise.stranger, "杭州市")


@pytest.mark.parametrize("scope", Scope)
def test_external_ids_are_answered_with_their_holders_within_reach(
    app: CustomerApp, enterprise: Enterprise, scope: Scope
) -> None:
    held = {
        owner_id: create(app, MANAGER, company(owner_id, f"K-{number}"))
        for number, owner_id in enumerate(enterprise.owners)
    }
    me = enterprise.as_me(scope)
    outcomes = create_many(app, me, *(company(None, f"K-{n}") for n in range(len(held))))
    for (owner, customer_id), outcome in zip(held.items(), outcomes, strict=True):
        if owner in enterprise.reached(scope):
            assert outcome == Existing(customer_id)
        else:
            assert isinstance(outcome, Refused)
            assert isinstance(outcome.error, DuplicateElsewhere)
            assert str(customer_id) not in str(vars(outcome.error))


def test_who_is_refused_an_external_id_learns_only_whose_it_is(
    app: CustomerApp, enterprise: Enterprise
) -> None:
    held = create(app, MANAGER, company(enterprise.stranger, "K-1"))
    me = enterprise.as_me(Scope.OWN)
    mine = create(app, me, company(None, "K-2"))
    with pytest.raises(DuplicateElsewhere) as refused:
        create(app, me, company(None, "K-1"))
    assert refused.value.metadata == {"team_id": str(enterprise.beside)}

    def taking(profile: Profile) -> Profile:
        return replace(profile, external_ids=(ExternalId("erp", "K-1"),))

    with pytest.raises(DuplicateElsewhere), app.work(me) as work:
        update_customer(work, mine, "", taking)
    with pytest.raises(ExternalIdTaken), app.work(MANAGER) as work:
        update_customer(work, mine, "", taking)
    rows = app.reader.rows("select actor_id, object_id from audit where action = 'refuse_external_id'")
    assert [tuple(row) for row in rows] == [(me.id, str(held))] * 2


def test_an_absorbed_holder_is_within_reach_when_its_survivor_is(
    app: CustomerApp, enterprise: Enterprise
) -> None:
    mine = create(app, MANAGER, company(enterprise.me))
    theirs = create(app, MANAGER, company(enterprise.stranger))
    absorbed = create(app, MANAGER, company(enterprise.stranger, "K-1"))
    lost = create(app, MANAGER, company(enterprise.me, "K-2"))
    with app.work(MANAGER) as work:
        merge_customers(work, mine, [absorbed])
        merge_customers(work, theirs, [lost])
    outcomes = create_many(app, enterprise.as_me(Scope.OWN), company(None, "K-1"), company(None, "K-2"))
    assert outcomes[0] == Existing(absorbed)
    assert isinstance(outcomes[1], Refused)
    assert isinstance(outcomes[1].error, DuplicateElsewhere)


def test_a_deleted_holder_shows_only_its_team_to_others(app: CustomerApp, enterprise: Enterprise) -> None:
    everything = Principal(
        PrincipalKind.USER, str(new_id()), {f"customer.customers.{verb}": Scope.ALL for verb in VERBS}
    )
    held = create(app, everything, company(enterprise.stranger, "K-1"))
    with app.work(everything) as work:
        delete_customer(work, held, "")
    [told] = create_many(app, everything, company(None, "K-1"))
    [hidden] = create_many(app, enterprise.as_me(Scope.OWN), company(None, "K-1"))
    assert told == Existing(held)
    assert isinstance(hidden, Refused)
    assert isinstance(hidden.error, DuplicateElsewhere)


def test_500_guessed_ids_are_sixty_answers(app: CustomerApp, enterprise: Enterprise) -> None:
    profiles = [company(enterprise.stranger, f"K-{n}") for n in range(100)]
    create_many(app, MANAGER, *profiles)
    me = enterprise.as_me(Scope.OWN)
    guesses = [company(None, f"K-{n}") for n in range(500)]
    errors = [said.error for said in create_many(app, me, *guesses) if isinstance(said, Refused)]
    told = [error for error in errors if isinstance(error, DuplicateElsewhere)]
    silent = [error for error in errors if isinstance(error, TooManyQuestions)]
    assert (len(told), len(silent)) == (60, 440), "whether an id exists or not"
    rows = app.reader.rows("select 1 as one from audit where action = 'refuse_external_id'")
    assert len(rows) == 60


def test_free_ids_are_not_counted(app: CustomerApp, enterprise: Enterprise) -> None:
    numbers = count(1)
    me = enterprise.as_me(Scope.OWN)
    for _ in range(3):
        outcomes = create_many(app, me, *(company(None, f"K-{next(numbers)}") for _ in range(50)))
        assert all(isinstance(outcome, Created) for outcome in outcomes)


def test_a_feed_with_scope_all_still_gets_the_ids_of_everybody(
    app: CustomerApp, enterprise: Enterprise
) -> None:
    grants = {"customer.customers.create": Scope.ALL, "customer.customers.read": Scope.ALL}
    feed = Principal(PrincipalKind.SERVICE_ACCOUNT, str(new_id()), grants)
    profiles = [Profile(Person(f"王{n}"), external_ids=(ExternalId("erp", f"K-{n}"),)) for n in range(200)]
    first = create_many(app, feed, *profiles)
    again = create_many(app, feed, *profiles)
    assert [said.id for said in again if isinstance(said, Existing)] == [
        said.id for said in first if isinstance(said, Created)
    ]
