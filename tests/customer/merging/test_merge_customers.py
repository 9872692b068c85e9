"""Merging lets customers be read through another one, and moves nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from customer.domain.customer import Company, ExternalId, Person, Profile
from customer.domain.errors import (
    AlreadyMerged,
    CustomerNotFound,
    KindsDiffer,
    NotMerged,
    SurvivorAbsorbed,
)
from customer.store import queries
from customer.store.composing import compose
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import REVIEW, OrderRow
from customer.usecases.unmerge_customer import unmerge_customer
from customer.usecases.update_customer import update_customer
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal, Scope
from kernel.pure.ids import new_id
from tests.contracts.examples import promised, same_shape
from tests.customer.conftest import seller

ITSELF = Principal.service("customer")
MANAGER = seller(Scope.ALL)


def person(app: CustomerApp, name: str = "王小明", principal: Principal = MANAGER, **known: object) -> UUID:
    """A new person; `known` are fields of the person."""
    with app.work(principal) as work:
        profile = Profile(Person(name, **known))  # type: ignore[arg-type]
        return create_customer(work, profile, allow_duplicate=True).id


def company(app: CustomerApp, **known: object) -> UUID:
    """A new company; `known` are fields of the profile."""
    with app.work(MANAGER) as work:
        profile = Profile(Company("海风餐饮"), **known)  # type: ignore[arg-type]
        return create_customer(work, profile, allow_duplicate=True).id


def merge(app: CustomerApp, survivor: UUID, *absorbed: UUID, principal: Principal = MANAGER) -> list[UUID]:
    with app.work(principal) as work:
        return merge_customers(work, survivor, absorbed)


def unmerge(app: CustomerApp, customer: UUID, principal: Principal = MANAGER) -> UUID:
    with app.work(principal) as work:
        return unmerge_customer(work, customer)


def links(app: CustomerApp) -> dict[UUID, UUID]:
    rows = app.reader.rows("select id, survivor_id from customers where survivor_id is not null")
    return {row.id: row.survivor_id for row in rows}


def buy(app: CustomerApp, customer: UUID, amount: int) -> None:
    order = OrderRow(new_id(), 1, customer, date(2026, 6, 1), "paid", Decimal(amount))
    with app.work(ITSELF) as work:
        apply_orders(work, [order])


def tier(app: CustomerApp, customer: UUID) -> str:
    row = app.reader.row(
        "select class as tier from classes where scheme = 'spend_tier' and customer_id = %s", (customer,)
    )
    return str(row.tier) if row else ""


def told(app: CustomerApp) -> list[dict[str, object]]:
    rows = app.reader.rows(
        "select body from outbox where type = 'crm.customer.v1.CustomersMerged' order by id"
    )
    return [json.loads(row.body) for row in rows]


def test_an_absorbed_customer_is_read_through_its_survivor(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    assert merge(app, old, new) == [new]
    assert links(app) == {new: old}


def test_merging_again_changes_nothing(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    merge(app, old, new)
    version = app.reader.row("select link_version from customers where id = %s", (new,))
    assert merge(app, old, new) == []
    assert app.reader.row("select link_version from customers where id = %s", (new,)) == version
    assert len(told(app)) == 1


def test_links_never_form_chains(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, second, third)
    merge(app, first, second)
    assert links(app) == {second: first, third: first}


def test_merging_into_an_absorbed_customer_names_its_survivor(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, first, second)
    with pytest.raises(SurvivorAbsorbed) as refused:
        merge(app, second, third)
    assert refused.value.metadata["survivor_id"] == str(first)


def test_one_merged_into_another_is_not_taken_away_from_it(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, first, second)
    with pytest.raises(AlreadyMerged) as refused:
        merge(app, third, second)
    assert refused.value.metadata == {"id": str(second), "survivor_id": str(first)}


def test_one_whose_survivor_is_merged_too_comes_along(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, second, third)
    assert merge(app, first, third, second) == [second]
    assert links(app) == {second: first, third: first}


def test_a_person_and_a_company_are_never_one(app: CustomerApp) -> None:
    with pytest.raises(KindsDiffer):
        merge(app, person(app), company(app))


@pytest.mark.parametrize("count", [0, 51])
def test_one_to_fifty_are_merged_at_once(app: CustomerApp, count: int) -> None:
    with pytest.raises(Invalid) as refused:
        merge(app, new_id(), *(new_id() for _ in range(count)))
    assert [v.rule for v in refused.value.violations] == ["BATCH_SIZE"]


def test_a_request_names_each_customer_once(app: CustomerApp) -> None:
    survivor, other = new_id(), new_id()
    with pytest.raises(Invalid) as refused:
        merge(app, survivor, other, survivor, other)
    assert [(v.field, v.rule) for v in refused.value.violations] == [
        ("absorbed_ids[1]", "MERGED_INTO_ITSELF"),
        ("absorbed_ids[2]", "REPEATED"),
    ]


def test_a_customer_out_of_reach_is_not_merged(app: CustomerApp) -> None:
    own_seller = seller()
    mine, other = person(app, principal=own_seller), person(app)
    for survivor, absorbed in ((mine, other), (other, mine)):
        with pytest.raises(CustomerNotFound):
            merge(app, survivor, absorbed, principal=own_seller)


def test_an_unknown_customer_is_not_merged(app: CustomerApp) -> None:
    with pytest.raises(CustomerNotFound):
        merge(app, person(app), new_id())


def test_a_deleted_customer_is_not_merged(app: CustomerApp) -> None:
    kept, deleted = person(app), person(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("update customers set deleted_at = now() where id = %s", (deleted,))
    for survivor, absorbed in ((kept, deleted), (deleted, kept)):
        with pytest.raises(CustomerNotFound):
            merge(app, survivor, absorbed)


def test_purchases_of_a_group_decide_the_class_of_its_survivor(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    buy(app, old, 20_000)
    buy(app, new, 20_000)
    assert (tier(app, old), tier(app, new)) == ("basic", "basic")
    merge(app, old, new)
    assert (tier(app, old), tier(app, new)) == ("important", "")
    timers = app.reader.rows("select key from timers where kind = %s", (REVIEW,))
    assert [row.key for row in timers] == [str(old)]


def test_an_order_of_an_absorbed_customer_counts_for_its_survivor(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    merge(app, old, new)
    buy(app, new, 100_000)
    assert (tier(app, old), tier(app, new)) == ("core", "")
    assert app.reader.row("select customer_id from orders") == (new,)


def test_after_unmerging_each_has_the_class_of_its_own_purchases(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    merge(app, old, new)
    buy(app, new, 100_000)
    buy(app, old, 10_000)
    assert unmerge(app, new) == old
    assert (tier(app, old), tier(app, new)) == ("basic", "core")


def test_unmerging_takes_out_those_who_came_with_it(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, second, third)
    merge(app, first, second)
    unmerge(app, second)
    assert links(app) == {third: second}


def test_one_who_came_along_can_be_taken_out_alone(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, second, third)
    merge(app, first, second)
    unmerge(app, third)
    assert links(app) == {second: first}
    unmerge(app, second)
    assert links(app) == {}


def test_merged_unmerged_and_merged_again(app: CustomerApp) -> None:
    old, new = person(app), person(app)
    merge(app, old, new)
    unmerge(app, new)
    merge(app, new, old)
    assert links(app) == {old: new}
    versions = {}
    for event in told(app):
        for link in event["data"]["links"]:  # type: ignore[index]
            versions.setdefault(link["absorbedId"], []).append((link["version"], link.get("survivorId")))
    assert versions == {str(new): [(1, str(old)), (2, None)], str(old): [(1, str(new))]}


def test_one_that_stands_for_itself_is_not_taken_out(app: CustomerApp) -> None:
    with pytest.raises(NotMerged):
        unmerge(app, person(app))


def test_only_who_reaches_survivor_and_absorbed_takes_them_apart(app: CustomerApp) -> None:
    mine_only = seller()
    mine, other = person(app, principal=mine_only), person(app)
    merge(app, other, mine)
    with pytest.raises(CustomerNotFound):
        unmerge(app, mine, principal=mine_only)


def test_merging_is_told_as_promised_and_audited(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, first, second, third)
    unmerge(app, second)
    for promise in promised("crm.customer.v1.CustomersMerged"):
        for body in told(app):
            same_shape(body, promise)
    rows = app.reader.rows(
        "select action, object_id, facts from audit where action in ('merge', 'unmerge') order by id"
    )
    survivor = {"survivor": str(first)}
    assert rows == [
        ("merge", str(second), survivor),
        ("merge", str(third), survivor),
        ("unmerge", str(second), survivor),
    ]


def test_survivor_and_absorbed_have_a_new_version(app: CustomerApp) -> None:
    first, second, third = person(app), person(app), person(app)
    merge(app, second, third)
    merge(app, first, second)
    rows = app.reader.rows("select id, version from customers")
    assert dict(rows) == {first: 2, second: 3, third: 2}


def shown(app: CustomerApp, customer: UUID) -> tuple[object, dict[str, object] | None]:
    row = queries.get_customer(app.reader, MANAGER, customer)
    documents = queries.open_documents(app.sealer, [row])
    rows, documents = compose(app.reader, app.sealer, [row], documents)
    return rows[0], documents[0]


def test_a_survivor_shows_its_own_values_and_what_it_lacks_from_those_it_absorbed(app: CustomerApp) -> None:
    first = person(app, phones=("+8613800000001",), birth_date="")
    second = person(app, "王晓明", phones=("+8613800000002", "+8613800000001"), birth_date="1980-01-02")
    third = person(app, "小王", emails=("w@example.com",), birth_date="1990-01-02")
    merge(app, first, third, second)
    _, document = shown(app, first)
    assert document == {
        "full_name": "王小明",
        "phones": ["+8613800000001", "+8613800000002"],
        "birth_date": "1980-01-02",
        "emails": ["w@example.com"],
    }


def test_what_stands_in_clear_is_composed_as_well(app: CustomerApp) -> None:
    first = company(app, province="上海市", tags=("老客",), external_ids=(ExternalId("erp", "1"),))
    second = company(
        app, province="浙江省", city="杭州市", tags=("展会",), external_ids=(ExternalId("erp", "2"),)
    )
    merge(app, first, second)
    row, document = shown(app, first)
    assert document is None
    assert (row.province, row.city) == ("上海市", "杭州市")  # type: ignore[attr-defined]
    assert row.tags == ["老客", "展会"]  # type: ignore[attr-defined]
    assert row.external_ids == [["erp", "1"], ["erp", "2"]]  # type: ignore[attr-defined]


def test_an_edit_after_the_merge_stays_with_the_survivor(app: CustomerApp) -> None:
    first, second = company(app), company(app, industry="餐饮", city="杭州市")
    merge(app, first, second)
    with app.work(MANAGER) as work:
        update_customer(work, first, "", lambda profile: replace(profile, industry="酒店"))
    unmerge(app, second)
    assert shown(app, first)[0].industry == "酒店"  # type: ignore[attr-defined]
    assert shown(app, first)[0].city == ""  # type: ignore[attr-defined]
    assert shown(app, second)[0].industry == "餐饮"  # type: ignore[attr-defined]
