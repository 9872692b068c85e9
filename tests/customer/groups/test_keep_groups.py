"""Members are those whom the rule selects, whatever happens and however time passes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from customer.domain.customer import Company, Profile
from customer.store.group_queries import preview
from customer.store.group_rules import Today
from customer.usecases import keep_groups
from customer.usecases.create_customers import create_customers
from customer.usecases.define_groups import delete_group, update_group
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.undelete_customer import undelete_customer
from customer.usecases.unmerge_customer import unmerge_customer
from customer.usecases.update_customer import update_customer
from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import CrmError
from tests.contracts.examples import promised, same_shape
from tests.customer.groups.world import EVERYBODY, SERVICE, customer, group, members, order, settle

TODAY = date(2026, 6, 30)


def told(app: CustomerApp) -> list[dict[str, object]]:
    """The items of all GroupsChanged, and forgets them."""
    query = "delete from outbox where type = 'crm.customer.v1.GroupsChanged' returning body"
    with app.engine.begin() as connection:
        bodies = connection.exec_driver_sql(query).scalars().all()
    return [item for body in bodies for item in json.loads(body)["data"]["members"]]


def move_to(app: CustomerApp, customer_id: UUID, city: str) -> None:
    with app.work(SERVICE) as work:
        update_customer(work, customer_id, "", lambda profile: replace(profile, city=city))


def test_a_new_group_holds_whom_its_rule_selects(app: CustomerApp) -> None:
    inside, _ = customer(app, city="上海"), customer(app, city="北京")
    asked = group(app, 'city == "上海"')
    settle(app)
    assert members(app, asked) == {inside}


def test_a_customer_that_changes_joins_and_leaves(app: CustomerApp) -> None:
    asked, one = group(app, 'city == "上海"'), customer(app, city="北京")
    settle(app)
    assert members(app, asked) == set()
    move_to(app, one, "上海")
    settle(app)
    assert members(app, asked) == {one}
    move_to(app, one, "北京")
    settle(app)
    assert members(app, asked) == set()


def test_joining_and_leaving_is_told_with_growing_versions(app: CustomerApp) -> None:
    asked, one = group(app, 'city == "上海"'), customer(app, city="上海")
    item = {"groupId": str(asked), "customerId": str(one)}
    settle(app)
    assert told(app) == [{**item, "member": True, "version": 1}]
    move_to(app, one, "北京")
    settle(app)
    assert told(app) == [{**item, "version": 2}]


def test_what_does_not_change_a_membership_is_not_told(app: CustomerApp) -> None:
    group(app, 'city == "上海"')
    one = customer(app, city="上海")
    settle(app)
    told(app)
    with app.work(SERVICE) as work:
        update_customer(work, one, "", lambda profile: replace(profile, industry="零售"))
    settle(app)
    assert told(app) == []


def test_what_is_told_is_what_the_examples_promise(app: CustomerApp) -> None:
    group(app, 'city == "上海"')
    customer(app, city="上海")
    settle(app)
    row = app.reader.row("select body from outbox where type = 'crm.customer.v1.GroupsChanged'")
    assert row is not None
    for promise in promised("crm.customer.v1.GroupsChanged"):
        same_shape(json.loads(row.body), promise)


def test_orders_count_for_the_survivor_of_whom_they_belong_to(app: CustomerApp) -> None:
    asked = group(app, "purchases.year_total >= 300")
    old, new = customer(app), customer(app)
    order(app, old, TODAY, 200)
    order(app, new, TODAY, 100)
    settle(app)
    assert members(app, asked) == set()
    with app.work(EVERYBODY) as work:
        merge_customers(work, old, [new])
    settle(app)
    assert members(app, asked) == {old}
    with app.work(EVERYBODY) as work:
        unmerge_customer(work, new)
    settle(app)
    assert members(app, asked) == set()


def test_who_was_merged_counts_once(app: CustomerApp) -> None:
    asked = group(app, 'city == "上海"')
    old, new = customer(app, city="上海"), customer(app, city="上海")
    settle(app)
    with app.work(EVERYBODY) as work:
        merge_customers(work, old, [new])
    settle(app)
    assert members(app, asked) == {old}


def test_an_order_that_moves_leaves_the_one_it_was_of(app: CustomerApp) -> None:
    asked = group(app, "purchases.order_count > 0")
    one, other = customer(app), customer(app)
    moving = order(app, one, TODAY)
    settle(app)
    order(app, other, TODAY, order_id=moving, version=2)
    settle(app)
    assert members(app, asked) == {other}


def test_an_order_told_before_its_customer_counts_when_the_customer_is_there(app: CustomerApp) -> None:
    asked, one = group(app, "purchases.order_count > 0"), customer(app)
    settle(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql("delete from customer_versions where customer_id = %s", (one,))
        connection.exec_driver_sql("delete from customers where id = %s", (one,))
    order(app, one, TODAY)
    settle(app)
    with app.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into customers (id, version, kind, owner_id, company, source_channel, industry, province,"
            " city, tags, created_at, updated_at)"
            " values (%s, 1, 'company', %s, '{}', '', '', '', '', '{}', now(), now())",
            (one, one),
        )
    settle(app)
    assert members(app, asked) == {one}


def test_a_deleted_customer_belongs_to_no_group_until_it_is_brought_back(app: CustomerApp) -> None:
    asked, one = group(app, 'city == "上海"'), customer(app, city="上海")
    with app.work(SERVICE) as work:
        delete_customer(work, one, "")
    settle(app)
    assert members(app, asked) == set()
    with app.work(SERVICE) as work:
        undelete_customer(work, one)
    settle(app)
    assert members(app, asked) == {one}


def test_time_alone_makes_members_on_the_day_it_is_due(app: CustomerApp, clock: FixedClock) -> None:
    asked, one = group(app, "days_since(purchases.last_order_on) > 60"), customer(app)
    order(app, one, TODAY)
    settle(app)
    clock.instant += timedelta(days=60)
    settle(app)
    assert members(app, asked) == set()
    clock.instant += timedelta(days=1)
    settle(app)
    assert members(app, asked) == {one}


def test_who_never_bought_has_not_bought_for_long(app: CustomerApp) -> None:
    asked, one = group(app, "days_since(purchases.last_order_on) > 60"), customer(app)
    settle(app)
    assert members(app, asked) == {one}


def test_an_order_leaves_the_year_by_itself(app: CustomerApp, clock: FixedClock) -> None:
    asked, one = group(app, "purchases.year_total >= 100"), customer(app)
    order(app, one, TODAY, 100)
    settle(app)
    assert members(app, asked) == {one}
    clock.instant = datetime(2027, 6, 30, 4, 0, tzinfo=clock.instant.tzinfo)
    settle(app)
    assert members(app, asked) == set()


def test_another_rule_is_another_version_and_everybody_is_decided_anew(app: CustomerApp) -> None:
    here, there = customer(app, city="上海"), customer(app, city="北京")
    asked = group(app, 'city == "上海"')
    settle(app)
    with app.work(EVERYBODY) as work:
        changed = update_group(work, asked, "", lambda draft: replace(draft, expression='city == "北京"'))
    assert (changed.rule_version, changed.state) == (2, "evaluating")
    settle(app)
    assert members(app, asked) == {there}
    row = app.reader.row("select rule_version from group_members where customer_id = %s", (here,))
    assert row == (2,)


def test_the_members_of_a_deleted_group_are_told_that_they_left(app: CustomerApp) -> None:
    asked, one = group(app, 'city == "上海"'), customer(app, city="上海")
    settle(app)
    told(app)
    with app.work(EVERYBODY) as work:
        delete_group(work, asked, "")
    settle(app)
    assert told(app) == [{"groupId": str(asked), "customerId": str(one), "version": 2}]
    assert app.reader.row("select from groups where id = %s", (asked,)) is None


def test_the_number_of_members_is_kept(app: CustomerApp) -> None:
    asked = group(app, 'city == "上海"')
    one, _, _ = (customer(app, city="上海") for _ in range(3))
    settle(app)
    move_to(app, one, "北京")
    settle(app)
    assert app.reader.row("select members from groups where id = %s", (asked,)) == (2,)


def test_a_rule_changed_while_it_is_evaluated_begins_anew(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_groups, "_MOST_EVALUATED", 1)
    everybody = [customer(app, city=city) for city in ("上海", "北京", "上海")]
    asked = group(app, 'city == "上海"')
    with app.work(SERVICE) as work:
        keep_groups.keep_groups(work)
    with app.work(EVERYBODY) as work:
        update_group(work, asked, "", lambda draft: replace(draft, expression='city == "北京"'))
    settle(app)
    assert members(app, asked) == {everybody[1]}


RULES = (
    'city == "上海"',
    'kind == "company" && !("vip" in tags)',
    "purchases.order_count >= 2 || purchases.year_total > 500",
    "days_since(purchases.last_order_on) <= 30 && days_since(create_time) > 10",
    'class.spend_tier == "minor"',
    "purchases.year_order_count == 0 && days_since(purchases.first_order_on) in [5, 100]",
)


@pytest.mark.parametrize("seed", range(6))
def test_members_kept_by_events_are_those_found_by_looking_at_everybody(
    app: CustomerApp, clock: FixedClock, seed: int
) -> None:
    """Whatever happens in whatever order, however many steps lie between two decisions."""
    chance = Random(seed)
    with app.work(EVERYBODY) as work:
        made = create_customers(work, [_profile(chance) for _ in range(12)])
    ids = [one.id for one in made]  # type: ignore[union-attr]
    groups = {rule: group(app, rule) for rule in RULES}
    for _ in range(25):
        _happen(app, clock, chance, ids)
        if chance.random() < 0.4:
            settle(app)
    settle(app)
    day = clock.now().astimezone(clock.zone).date()
    for rule, group_id in groups.items():
        count, sample = preview(app.reader, EVERYBODY, rule, Today(day, clock.zone))
        assert (members(app, group_id), len(sample)) == (set(sample), count), rule


def _profile(chance: Random) -> Profile:
    tags = tuple(tag for tag in ("vip", "新") if chance.random() < 0.5)
    return Profile(Company(f"客户 {chance.random()}"), city=chance.choice(["上海", "北京"]), tags=tags)


def _happen(app: CustomerApp, clock: FixedClock, chance: Random, ids: list[UUID]) -> None:
    one, other = chance.sample(ids, 2)
    what = chance.choice(["order", "order", "move", "merge", "unmerge", "delete", "undelete", "time"])
    if what == "time":
        clock.instant += timedelta(days=chance.choice([1, 5, 40, 200]))
        return
    if what == "order":
        today = clock.now().date()
        order(app, one, today - timedelta(days=chance.randint(-3, 400)), chance.randint(1, 600))
        return
    try:
        with app.work(EVERYBODY if what in ("merge", "unmerge", "move") else SERVICE) as work:
            if what == "move":
                update_customer(
                    work, one, "", lambda p: replace(p, city=chance.choice(["上海", "北京"]), tags=("vip",))
                )
            elif what == "merge":
                merge_customers(work, one, [other])
            elif what == "unmerge":
                unmerge_customer(work, one)
            elif what == "delete":
                delete_customer(work, one, "")
            else:
                undelete_customer(work, one)
    except CrmError:
        pass
