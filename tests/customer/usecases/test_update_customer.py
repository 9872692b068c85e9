"""Changing customers."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from customer.domain.customer import Customer, ExternalId, Person, Profile
from customer.domain.errors import CustomerNotFound, ExternalIdTaken
from customer.usecases.create_customers import create_customer
from customer.usecases.update_customer import PERMISSION, update_customer
from customer.wiring import CustomerApp
from kernel.pure.errors import PermissionDenied, StaleEtag
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from tests.customer.conftest import seller


def created(app: CustomerApp, principal: Principal, number: int = 1) -> Customer:
    with app.work(principal) as work:
        return create_customer(
            work, Profile(Person("王小明"), external_ids=(ExternalId("erp", str(number)),))
        )


def renamed(profile: Profile) -> Profile:
    return replace(profile, details=Person("王大明"))


def test_a_change_raises_the_version_by_one(app: CustomerApp) -> None:
    me = seller()
    customer = created(app, me)
    with app.work(me) as work:
        changed = update_customer(work, customer.id, "1", renamed)
    assert changed.version == 2
    assert changed.profile.details == Person("王大明")


def test_a_change_that_changes_nothing_is_no_change(app: CustomerApp) -> None:
    me = seller()
    customer = created(app, me)
    with app.work(me) as work:
        assert update_customer(work, customer.id, "", lambda profile: profile).version == 1
    assert len(app.reader.rows("select 1 as one from outbox")) == 1


def test_a_change_of_what_somebody_else_changed_is_refused(app: CustomerApp) -> None:
    me = seller()
    customer = created(app, me)
    with app.work(me) as work:
        update_customer(work, customer.id, "1", renamed)
    with pytest.raises(StaleEtag), app.work(me) as work:
        update_customer(work, customer.id, "1", renamed)


def test_somebody_elses_customer_looks_as_if_it_were_not_there(app: CustomerApp) -> None:
    customer = created(app, seller())
    stranger = seller()
    for customer_id in (customer.id, new_id()):
        with pytest.raises(CustomerNotFound), app.work(stranger) as work:
            update_customer(work, customer_id, "", renamed)


def test_an_external_id_of_another_customer_cannot_be_taken(app: CustomerApp) -> None:
    me = seller()
    created(app, me, 1)
    other = created(app, me, 2)
    with pytest.raises(ExternalIdTaken), app.work(me) as work:
        update_customer(work, other.id, "", lambda p: replace(p, external_ids=(ExternalId("erp", "1"),)))


def portal(customer: Customer) -> Principal:
    """The customer in the portal."""
    grants = {PERMISSION: Scope.SELF}
    return Principal(PrincipalKind.USER, str(new_id()), grants, customer_id=customer.id)


def test_customers_change_how_they_are_reached_and_no_more(app: CustomerApp) -> None:
    customer = created(app, seller())
    me = portal(customer)
    with app.work(me) as work:
        changed = update_customer(
            work,
            customer.id,
            "",
            lambda p: replace(p, details=Person("王小明", ("13812345678",)), city="杭州市"),
        )
    assert changed.profile.details == Person("王小明", ("+8613812345678",))
    changes: list[Callable[[Profile], Profile]] = [
        renamed,
        lambda profile: replace(profile, owner_id=new_id()),
        lambda profile: replace(profile, tags=("vip",)),
        lambda profile: replace(profile, collaborator_ids=(UUID(me.id),)),
        lambda profile: replace(profile, external_ids=()),
    ]
    for change in changes:
        with pytest.raises(PermissionDenied), app.work(me) as work:
            update_customer(work, customer.id, "", change)


def test_customers_change_nobody_else(app: CustomerApp) -> None:
    me = portal(created(app, seller(), 1))
    other = created(app, seller(), 2)
    with pytest.raises(CustomerNotFound), app.work(me) as work:
        update_customer(work, other.id, "", lambda profile: replace(profile, city="杭州市"))


def test_whoever_may_change_all_changes_anybodys(app: CustomerApp) -> None:
    customer = created(app, seller())
    with app.work(seller(Scope.ALL)) as work:
        assert update_customer(work, customer.id, "", renamed).owner_id == customer.owner_id
