"""The same person brought twice, at the same instant or in one batch, is recorded once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from customer.domain.customer import Company, ExternalId, Person, Profile
from customer.domain.errors import DuplicateCustomer, DuplicateElsewhere, TooManyQuestions
from customer.usecases.create_customers import (
    Created,
    Existing,
    Outcome,
    Refused,
    create_customer,
    create_customers,
)
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal
from tests.customer.duplicates.people import EVERYBODY, WANG, known, team

_WAITING = """
    select true from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())
"""


def test_the_second_of_two_at_one_instant_waits_and_is_refused(app: CustomerApp) -> None:
    def second() -> None:
        with app.work(EVERYBODY) as work:
            create_customer(work, Profile(replace(WANG, full_name="王晓明")))

    with ThreadPoolExecutor(1) as threads:
        with app.work(EVERYBODY) as work:
            first = create_customer(work, Profile(WANG))
            other = threads.submit(second)
            awaited(app)
        with pytest.raises(DuplicateCustomer) as refused:
            other.result()
    assert refused.value.metadata == {"id": str(first.id)}


def test_people_who_share_nothing_do_not_wait_for_one_another(app: CustomerApp) -> None:
    with app.work(EVERYBODY) as one, app.work(EVERYBODY) as other:
        made = [
            create_customer(one, Profile(WANG)),
            create_customer(other, Profile(Person("李雷", phones=("+8613900000009",)))),
        ]
    assert len({customer.id for customer in made}) == 2


def test_batches_that_hold_the_same_people_in_another_order_do_not_block_each_other(app: CustomerApp) -> None:
    people = [Profile(Person(f"王{n}明", phones=(f"+86138000{n:05}",))) for n in range(60)]

    def bring(profiles: list[Profile]) -> int:
        with app.work(EVERYBODY) as work:
            return sum(isinstance(outcome, Created) for outcome in create_customers(work, profiles))

    with ThreadPoolExecutor(4) as threads:
        made = threads.map(bring, [people, people[::-1], people[30:] + people[:30], people])
    assert sum(made) == len(people)


def test_a_batch_answers_for_each_item_who_is_known(app: CustomerApp) -> None:
    wang = known(app, WANG)
    li = Person("李雷", phones=("+8613900000009",))
    outcomes = brought(app, WANG, li, replace(li, emails=("li@example.com",)), Company("海风餐饮"))
    assert [described(outcome) for outcome in outcomes] == [
        f"known as {wang}", "created", f"known as {id_of(outcomes[1])}", "created",
    ]  # fmt: skip


def test_with_one_that_is_refused_goes_another_of_the_same_external_id(app: CustomerApp) -> None:
    wang = known(app, WANG)
    number = (ExternalId("erp", "1"),)
    with app.work(EVERYBODY) as work:
        profiles = [Profile(WANG, number), Profile(Person("李雷"), number)]
        outcomes = create_customers(work, profiles)
    assert [described(outcome) for outcome in outcomes] == [f"known as {wang}"] * 2


def test_a_batch_may_hold_duplicates_on_purpose(app: CustomerApp) -> None:
    known(app, WANG)
    with app.work(EVERYBODY) as work:
        outcomes = create_customers(work, [Profile(WANG)] * 2, allow_duplicate=True)
    assert [described(outcome) for outcome in outcomes] == ["created", "created"]


def test_a_batch_tells_of_no_more_customers_elsewhere_than_single_questions(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    people = [Person(f"王{n}明", phones=(f"+86138000{n:05}",)) for n in range(65)]
    with app.work(north.seller) as work:
        create_customers(work, [Profile(person) for person in people])
    outcomes = brought(app, *people, principal=south.seller)
    errors = [type(outcome.error) for outcome in outcomes if isinstance(outcome, Refused)]
    assert errors == [DuplicateElsewhere] * 60 + [TooManyQuestions] * 5


def brought(app: CustomerApp, *details: Person | Company, principal: Principal = EVERYBODY) -> list[Outcome]:
    with app.work(principal) as work:
        return create_customers(work, [Profile(one) for one in details])


def described(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        assert isinstance(outcome.error, DuplicateCustomer)
        return f"known as {outcome.error.metadata['id']}"
    return "created" if isinstance(outcome, Created) else "existing"


def id_of(outcome: Outcome) -> object:
    assert isinstance(outcome, Created | Existing)
    return outcome.id


def awaited(app: CustomerApp) -> None:
    """Returns when somebody waits for a lock that this test holds."""
    deadline = time.monotonic() + 30
    while not app.reader.rows(_WAITING):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)
