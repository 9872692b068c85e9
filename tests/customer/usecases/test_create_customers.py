"""Recording customers (C-01 to C-03)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from customer.domain.customer import Company, ExternalId, Person, Profile
from customer.domain.errors import ExternalIdTaken
from customer.usecases.create_customers import (
    Created,
    Existing,
    Refused,
    create_customer,
    create_customers,
)
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from tests.customer.conftest import seller


def known(number: int, name: str = "王小明") -> Profile:
    return Profile(Person(name), external_ids=(ExternalId("erp", str(number)),))


def count(app: CustomerApp, table: str) -> int:
    return int(app.reader.rows(f"select count(*) as n from {table}")[0].n)


def test_a_new_customer_belongs_to_whoever_records_it(app: CustomerApp) -> None:
    me = seller()
    with app.work(me) as work:
        customer = create_customer(work, known(1))
    assert str(customer.owner_id) == me.id


def test_the_name_of_a_person_is_nowhere_in_the_database(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        create_customer(work, known(1, "欧阳明月"))
    for table in ("customers", "outbox", "audit"):
        rows = app.reader.rows(f"select t::text as row from {table} t")
        assert rows
        assert not any("欧阳" in row.row or "欧阳".encode().hex() in row.row for row in rows)


def test_one_event_tells_of_the_whole_batch(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        create_customers(work, [known(1), known(2)])
    (event,) = app.reader.rows("select type, body from outbox")
    assert event.type == "crm.customer.v1.CustomersRecorded"
    assert len(json.loads(event.body)["data"]["customers"]) == 2


def test_a_customer_with_a_known_external_id_is_answered_with_its_holder(app: CustomerApp) -> None:
    me = seller()
    with app.work(me) as work:
        (first,) = create_customers(work, [known(1)])
    with app.work(me) as work:
        again, new = create_customers(work, [known(1), known(2)])
    assert isinstance(first, Created)
    assert again == Existing(first.id)
    assert isinstance(new, Created)


def test_the_same_external_id_twice_in_a_batch_is_one_customer(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        first, second = create_customers(work, [known(1), known(1)])
    assert isinstance(first, Created)
    assert second == Existing(first.id)


def test_two_who_bring_the_same_external_id_at_once_make_one_customer(app: CustomerApp) -> None:
    def bring(_: int) -> None:
        with app.work(seller()) as work:
            create_customers(work, [known(number) for number in range(20)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(bring, range(4)))
    assert count(app, "customers") == 20


def test_a_wrong_item_is_refused_and_the_others_are_stored(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        outcomes = create_customers(work, [known(1), Profile(Company("")), known(2)])
    assert [type(outcome) for outcome in outcomes] == [Created, Refused, Created]
    refused = outcomes[1]
    assert isinstance(refused, Refused)
    assert [violation.field for violation in refused.error.violations] == ["customers[1].company.name"]
    assert count(app, "customers") == 2


def test_more_than_500_at_once_are_refused(app: CustomerApp) -> None:
    with pytest.raises(Invalid), app.work(seller()) as work:
        create_customers(work, [known(number) for number in range(501)])


def test_recording_one_customer_with_a_taken_external_id_stores_nothing(app: CustomerApp) -> None:
    me = seller()
    with app.work(me) as work:
        create_customer(work, known(1))
    with pytest.raises(ExternalIdTaken), app.work(me) as work:
        create_customer(work, known(1))
    assert count(app, "customers") == 1
    assert count(app, "outbox") == 1
