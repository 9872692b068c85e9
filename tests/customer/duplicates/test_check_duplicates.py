"""Who is recorded is compared with who is known; other teams' customers show only whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from customer import metrics
from customer.domain.customer import Company, Person, Profile
from customer.domain.duplicates import LARGEST_BLOCK, Hit
from customer.domain.errors import DuplicateCustomer, DuplicateElsewhere, TooManyQuestions
from customer.usecases.check_duplicates import check_duplicates
from customer.usecases.create_customers import create_customer
from customer.usecases.merge_customers import merge_customers
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from tests.customer.duplicates.people import EVERYBODY, WANG, known, team


def check(app: CustomerApp, details: Person | Company, principal: Principal = EVERYBODY) -> list[Hit]:
    with app.work(principal) as work:
        return check_duplicates(work, Profile(details))


def seen(hits: Sequence[Hit]) -> list[tuple[object, str]]:
    return [(hit.customer_id, hit.match.decision) for hit in hits]


def test_somebody_like_nobody_is_not_known(app: CustomerApp) -> None:
    known(app, WANG)
    assert check(app, Person("李雷", phones=("+8613900000009",))) == []


def test_who_agrees_in_name_and_phone_is_the_same(app: CustomerApp) -> None:
    wang = known(app, WANG)
    [hit] = check(app, Person("王小明", phones=("138 0000 0001",)))
    assert (hit.customer_id, hit.match.decision, hit.within_reach) == (wang, "same", True)
    assert {(reason.field, reason.level) for reason in hit.match.reasons} >= {("phone", "exact")}


def test_a_phone_number_alone_can_be_asked_about(app: CustomerApp) -> None:
    wang = known(app, WANG)
    assert seen(check(app, Person("", phones=("+8613800000001",)))) == [(wang, "possible")]


def test_what_is_asked_must_be_well_formed(app: CustomerApp) -> None:
    with pytest.raises(Invalid) as refused:
        check(app, Person("", phones=("call me",)))
    assert [v.field for v in refused.value.violations] == ["customer.person.phones[0]"]


def test_the_best_comes_first(app: CustomerApp) -> None:
    possible = known(app, replace(WANG, full_name="王小红"))
    same = known(app, WANG)
    assert seen(check(app, WANG)) == [(same, "same"), (possible, "possible")]


def test_an_absorbed_customer_is_answered_by_its_survivor(app: CustomerApp) -> None:
    survivor, absorbed = known(app, Person("王大明")), known(app, WANG)
    with app.work(EVERYBODY) as work:
        merge_customers(work, survivor, [absorbed])
    assert seen(check(app, WANG)) == [(survivor, "same")]


def test_a_deleted_customer_is_not_known(app: CustomerApp) -> None:
    wang = known(app, WANG)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("update customers set deleted_at = now() where id = %s", (wang,))
    assert check(app, WANG) == []


def test_a_person_whose_key_was_destroyed_is_not_known(app: CustomerApp) -> None:
    wang = known(app, WANG)
    app.keyring.destroy([wang])
    assert check(app, WANG) == []


def test_companies_are_the_same_by_their_code(app: CustomerApp) -> None:
    sea = known(app, Company("海风餐饮", credit_code="91310000MA1K35QX6B"))
    renamed = Company("上海海风餐饮有限公司", credit_code="91310000MA1K35QX6B")
    assert seen(check(app, renamed)) == [(sea, "same")]
    assert check(app, Company("海风餐饮", credit_code="91310000MA1K00000X")) == []


def test_companies_of_one_name_may_be_the_same(app: CustomerApp) -> None:
    sea = known(app, Company("海风餐饮", phones=("+862166666666",)))
    assert seen(check(app, Company("海风 餐饮"))) == [(sea, "possible")]
    assert seen(check(app, Company("海风餐饮", phones=("021-66666666",)))) == [(sea, "same")]


def test_a_person_is_never_a_company(app: CustomerApp) -> None:
    known(app, Company("王小明", phones=("+8613800000001",)))
    assert check(app, WANG) == []


def test_a_key_that_too_many_share_is_left_out_and_counted(app: CustomerApp) -> None:
    def capped() -> float:
        return metrics.match_keys_capped._value.get()

    wang = known(app, WANG)
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into match_keys select %s, gen_random_uuid() from generate_series(1, %s)",
            (app.indexer.key_question("phone:+8613800000001"), LARGEST_BLOCK),
        )
    before = capped()
    assert check(app, Person("", phones=("+8613800000001",))) == []
    assert capped() == before + 1
    assert seen(check(app, WANG)) == [(wang, "same")], "by its other keys"


def test_another_teams_customer_shows_only_the_team(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, WANG, north.seller)
    [hit] = check(app, WANG, south.seller)
    assert (hit.within_reach, hit.team_id) == (False, north.id)


def test_questions_are_audited_with_what_they_found(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    wang = known(app, WANG, north.seller)
    check(app, WANG, south.seller)
    row = app.reader.row("select actor_id, facts from audit where action = 'check_duplicates'")
    assert row == (south.seller.id, {"ids": [str(wang)], "elsewhere": 1})


def test_after_sixty_customers_of_other_teams_a_seller_learns_no_more(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    known(app, WANG, north.seller)
    for _ in range(60):
        check(app, WANG, south.seller)
    for asked in (WANG, Person("李雷", phones=("+8613900000009",))):
        with pytest.raises(TooManyQuestions) as refused:
            check(app, asked, south.seller)
        assert 0 < (refused.value.retry_after or 0) <= 60
    assert seen(check(app, WANG, north.seller))


def test_questions_about_own_customers_are_not_counted(app: CustomerApp) -> None:
    north = team(app)
    known(app, WANG, north.seller)
    assert all(check(app, WANG, north.seller) for _ in range(65))


def create(app: CustomerApp, principal: Principal, **more: bool) -> object:
    with app.work(principal) as work:
        return create_customer(work, Profile(WANG), **more).id


def test_somebody_surely_known_is_not_recorded_again(app: CustomerApp) -> None:
    north = team(app)
    wang = known(app, WANG, north.seller)
    with pytest.raises(DuplicateCustomer) as refused:
        create(app, north.seller)
    assert refused.value.metadata == {"id": str(wang)}


def test_somebody_known_to_another_team_is_refused_naming_the_team_only(app: CustomerApp) -> None:
    north, south = team(app), team(app)
    wang = known(app, WANG, north.seller)
    with pytest.raises(DuplicateElsewhere) as refused:
        create(app, south.seller)
    assert refused.value.metadata == {"team_id": str(north.id)}
    row = app.reader.row("select actor_id, object_id from audit where action = 'refuse_duplicate'")
    assert row == (south.seller.id, str(wang)), "although the transaction was rolled back"


def test_a_duplicate_can_be_recorded_on_purpose(app: CustomerApp) -> None:
    north = team(app)
    wang = known(app, WANG, north.seller)
    assert create(app, north.seller, allow_duplicate=True) != wang


def test_somebody_who_may_be_known_is_recorded(app: CustomerApp) -> None:
    north = team(app)
    known(app, replace(WANG, birth_date="", phones=()), north.seller)
    assert create(app, north.seller)
