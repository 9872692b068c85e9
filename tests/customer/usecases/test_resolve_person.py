"""Somebody who tells of themselves is the customer they surely are, or a new one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from customer.domain.customer import NOBODY, Company, Person, Profile
from customer.store.duplicate_queries import list_pairs
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.resolve_person import Resolved, resolve_person
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.customer.duplicates.people import EVERYBODY, WANG, known

SALES = Principal.service("sales")


def resolved(app: CustomerApp, details: object, **more: object) -> Resolved:
    with app.work(SALES) as work:
        return resolve_person(work, Profile(details, **more))  # type: ignore[arg-type]


def owner(app: CustomerApp, customer_id: UUID) -> UUID:
    row = app.reader.row("select owner_id from customers where id = %s", (customer_id,))
    assert row is not None
    return UUID(str(row.owner_id))


def test_who_is_surely_known_is_that_customer(app: CustomerApp) -> None:
    wang = known(app, WANG)
    again = resolved(app, Person("王 小明", phones=("138 0000 0001",), birth_date="1980-01-02"))
    assert (again.customer_id, again.created) == (wang, False)


def test_a_known_one_that_was_merged_is_its_survivor(app: CustomerApp) -> None:
    wang, other = known(app, WANG), known(app, Person("王小明", emails=("wang@example.com",)))
    with app.work(EVERYBODY) as work:
        merge_customers(work, other, [wang])
    assert resolved(app, WANG).customer_id == other


def test_a_deleted_one_is_not_brought_back(app: CustomerApp) -> None:
    wang = known(app, WANG)
    with app.work(SALES) as work:
        delete_customer(work, wang, "")
    assert resolved(app, WANG).created


def test_who_may_be_the_same_is_a_new_customer_and_a_pair_for_review(app: CustomerApp) -> None:
    company = known(app, Company("海风餐饮"))
    made = resolved(app, Company("海风餐饮", emails=("a@example.com",)))
    [pair] = list_pairs(app.reader, EVERYBODY, "possible", None, 10)
    assert made.created
    assert (pair.first_id, pair.second_id) == (company, made.customer_id)


def test_a_new_customer_may_be_nobodys_until_somebody_is_named(app: CustomerApp) -> None:
    first = resolved(app, WANG)
    seller, another = new_id(), new_id()
    assert (first.created, first.owner_id) == (True, NOBODY)
    assert resolved(app, WANG, owner_id=seller).owner_id == seller
    assert resolved(app, WANG, owner_id=another).owner_id == seller
    assert owner(app, first.customer_id) == seller


def test_nobodys_customer_is_told_without_an_owner(app: CustomerApp) -> None:
    resolved(app, WANG)
    row = app.reader.row("select body from outbox where type like '%%CustomersRecorded'")
    assert row is not None
    assert "ownerId" not in row.body


def test_the_same_person_told_of_at_once_by_many_is_one_customer(app: CustomerApp) -> None:
    with ThreadPoolExecutor(8) as together:
        found = list(together.map(lambda _: resolved(app, WANG), range(16)))
    assert len({one.customer_id for one in found}) == 1
    assert [one.created for one in found].count(True) == 1


def test_what_is_wrong_is_named_without_a_prefix(app: CustomerApp) -> None:
    with pytest.raises(Invalid) as refused:
        resolved(app, Person(""))
    assert [violation.field for violation in refused.value.violations] == ["person.full_name"]
