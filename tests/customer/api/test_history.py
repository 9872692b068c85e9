"""Each change leaves a version; what a customer was can be asked for, as scoped and masked as today."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.domain.errors import CustomerNotFound
from customer.usecases.merge_customers import merge_customers
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid
from kernel.pure.grants import Scope
from kernel.pure.ids import new_id
from tests.customer.api.calls import Client, user
from tests.customer.conftest import NOON

PHONE = "+8613812345678"


@pytest.fixture
def me(app: CustomerApp) -> Client:
    grants = {f"customers_{verb}": Scope.OWN for verb in ("read", "create", "update", "delete", "merge")}
    return Client(app, user(**grants, personal_read=Scope.OWN))


def person(me: Client, **fields: Any) -> str:
    return str(me.create(person={"full_name": "王小明", "phones": [PHONE]}, **fields).id)


def update(me: Client, customer_id: str, **fields: Any) -> Any:
    return me.ask("update_customer", rpc.UpdateCustomerRequest(customer={"id": customer_id, **fields}))


def as_of(me: Client, customer_id: str, at: datetime) -> Any:
    request = rpc.GetCustomerRequest(id=customer_id)
    request.as_of.FromDatetime(at)
    return me.ask("get_customer", request)


def versions(me: Client, customer_id: str, **more: Any) -> Any:
    return me.ask("list_versions", rpc.ListVersionsRequest(customer_id=customer_id, **more))


def test_a_customer_is_shown_as_it_was_at_any_instant(me: Client, clock: FixedClock) -> None:
    states = []
    customer_id = person(
        me,
        industry="餐饮",
        tags=["vip"],
        external_ids=[{"source": "erp", "value": "1"}],
        collaborator_ids=[user().id],
    )
    states.append(me.get(customer_id))
    for day, change in enumerate(
        (
            {"person": {"full_name": "王大明", "phones": [PHONE]}},
            {"tags": ["a", "b"], "city": "上海市"},
            {"external_ids": [{"source": "erp", "value": "2"}]},
        ),
        start=1,
    ):
        clock.instant = NOON + timedelta(days=day)
        update(me, customer_id, **change)
        states.append(me.get(customer_id))
    for day, state in enumerate(states):
        for hours in (0, 23):
            assert as_of(me, customer_id, NOON + timedelta(days=day, hours=hours)) == state


def test_a_company_is_shown_as_it_was(me: Client, clock: FixedClock) -> None:
    customer_id = str(me.create(company={"name": "某某公司", "phones": ["+862112345678"]}).id)
    before = me.get(customer_id)
    clock.instant = NOON + timedelta(days=1)
    update(me, customer_id, company={"name": "另一公司"})
    assert as_of(me, customer_id, NOON) == before


def test_before_it_was_recorded_there_was_no_customer(me: Client) -> None:
    customer_id = person(me)
    with pytest.raises(CustomerNotFound):
        as_of(me, customer_id, NOON - timedelta(seconds=1))


def test_the_past_is_masked_as_the_present_is(app: CustomerApp, me: Client) -> None:
    customer_id = person(me)
    boss = Client(app, user(customers_read=Scope.ALL))
    assert list(as_of(me, customer_id, NOON).person.phones) == [PHONE]
    shown = as_of(boss, customer_id, NOON)
    assert list(shown.person.phones) == ["138****5678"]
    assert shown.masked_fields == ["person.phones"]


def test_the_past_belongs_to_whom_the_customer_belongs_to_now(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    """A seller who took a customer over reads its history; from whom it was taken reads it no more."""
    customer_id = person(me)
    manager = Client(app, user(customers_read=Scope.ALL, customers_update=Scope.ALL))
    heir = Client(app, user(customers_read=Scope.OWN))
    clock.instant = NOON + timedelta(days=1)
    update(manager, customer_id, owner_id=heir.id)
    assert as_of(heir, customer_id, NOON).owner_id == me.id
    assert len(versions(heir, customer_id).versions) == 2
    with pytest.raises(CustomerNotFound):
        as_of(me, customer_id, NOON)
    with pytest.raises(CustomerNotFound):
        versions(me, customer_id)


def test_versions_say_who_changed_which_fields_and_never_their_values(me: Client, clock: FixedClock) -> None:
    customer_id = person(me)
    clock.instant = NOON + timedelta(days=1)
    update(me, customer_id, person={"full_name": "王大明", "phones": [PHONE]}, industry="餐饮")
    me.ask("delete_customer", rpc.DeleteCustomerRequest(id=customer_id))
    me.ask("undelete_customer", rpc.UndeleteCustomerRequest(id=customer_id))
    told = versions(me, customer_id).versions
    assert [(v.version, v.action, list(v.changed_fields)) for v in told] == [
        (4, "undelete", []),
        (3, "delete", []),
        (2, "update", ["person.full_name", "industry"]),
        (1, "create", []),
    ]
    assert {v.actor_id for v in told} == {me.id}
    assert told[2].create_time.ToDatetime() == (NOON + timedelta(days=1)).replace(tzinfo=None)
    assert "王" not in str(told)


def test_versions_come_newest_first_page_by_page(me: Client) -> None:
    customer_id = person(me)
    for number in range(6):
        update(me, customer_id, city=f"{number}")
    found, token = [], ""
    while True:
        page = versions(me, customer_id, page_size=3, page_token=token)
        found += [v.version for v in page.versions]
        token = page.next_page_token
        if not token:
            break
    assert found == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_token_of_one_customers_versions_opens_no_others(me: Client) -> None:
    one, other = person(me), person(me)
    update(me, one, city="1")
    token = versions(me, one, page_size=1).next_page_token
    with pytest.raises(Invalid):
        versions(me, other, page_token=token)


def test_no_version_holds_a_name_or_a_phone_in_clear(app: CustomerApp, me: Client) -> None:
    customer_id = person(me)
    update(me, customer_id, person={"full_name": "欧阳明月", "phones": [PHONE]})
    rows = app.reader.rows("select v::text as row from customer_versions v")
    assert len(rows) == 2
    for secret in ("欧阳", "王小明", PHONE[3:]):
        assert not any(secret in row.row or secret.encode().hex() in row.row for row in rows)


def test_the_history_of_a_merged_customer_stays_its_own_and_says_whither_it_went(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    survivor, absorbed = person(me), person(me, city="上海市")
    clock.instant = NOON + timedelta(days=1)
    with app.work(me.principal) as work:
        merge_customers(work, UUID(survivor), [UUID(absorbed)])
    assert me.get(absorbed).id == survivor
    assert as_of(me, absorbed, NOON).merged_into == ""
    now = as_of(me, absorbed, clock.instant)
    assert (now.id, now.city, now.merged_into) == (absorbed, "上海市", survivor)
    assert [v.action for v in versions(me, absorbed).versions] == ["merge", "create"]


def test_a_survivor_was_at_each_instant_what_those_knew_who_were_merged_into_it_then(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    survivor, absorbed = person(me), person(me, city="上海市", tags=["vip"])
    clock.instant = merged = NOON + timedelta(days=1)
    with app.work(me.principal) as work:
        merge_customers(work, UUID(survivor), [UUID(absorbed)])
    assert as_of(me, survivor, merged).city == me.get(survivor).city == "上海市"
    clock.instant = NOON + timedelta(days=2)
    with app.work(me.principal) as work:
        unmerge_customer(work, UUID(absorbed))
    instants = (NOON, merged, clock.instant)
    assert [as_of(me, survivor, at).city for at in instants] == ["", "上海市", ""]
    assert [[*as_of(me, survivor, at).tags] for at in instants] == [[], ["vip"], []]


def test_who_was_taken_out_and_is_out_of_scope_now_is_not_shown_in_the_past(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    survivor, absorbed = person(me), person(me, city="上海市")
    clock.instant = merged = NOON + timedelta(days=1)
    with app.work(me.principal) as work:
        merge_customers(work, UUID(survivor), [UUID(absorbed)])
    clock.instant = NOON + timedelta(days=2)
    with app.work(me.principal) as work:
        unmerge_customer(work, UUID(absorbed))
    with app.engine.begin() as connection:
        connection.exec_driver_sql("update customers set owner_id = %s where id = %s", (new_id(), absorbed))
    assert as_of(me, survivor, merged).city == ""
