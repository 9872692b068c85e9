"""Deleted customers are hidden for 30 days, can be brought back so long, and are gone afterwards."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_service_pb2 as rpc
from customer.domain.errors import CustomerNotDeleted, CustomerNotFound
from customer.jobs.purge_customers import purge_customers
from customer.usecases.delete_customer import KEPT
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import PURGE
from customer.wiring import CustomerApp
from kernel.jobs.timers import fire_due
from kernel.pure.clock import FixedClock
from kernel.pure.errors import StaleEtag
from kernel.pure.grants import Scope
from tests.customer.api.calls import Client, user
from tests.customer.conftest import NOON


@pytest.fixture
def me(app: CustomerApp) -> Client:
    verbs = ("read", "create", "update", "delete", "merge")
    grants = {f"customers_{verb}": Scope.OWN for verb in verbs}
    return Client(app, user(**grants, personal_read=Scope.OWN, personal_reveal=Scope.OWN))


def person(me: Client, name: str = "王小明", **fields: Any) -> str:
    return str(me.create(person={"full_name": name, "phones": ["13812345678"]}, **fields).id)


def delete(me: Client, customer_id: str, etag: str = "") -> Any:
    return me.ask("delete_customer", rpc.DeleteCustomerRequest(id=customer_id, etag=etag))


def undelete(me: Client, customer_id: str) -> Any:
    return me.ask("undelete_customer", rpc.UndeleteCustomerRequest(id=customer_id))


def fire(app: CustomerApp, clock: FixedClock, after: timedelta) -> int:
    clock.instant = NOON + after
    return fire_due(app, {PURGE: purge_customers}, now=clock.instant)


def test_a_deleted_customer_is_not_found_by_anything(me: Client) -> None:
    customer_id = person(me)
    deleted = delete(me, customer_id)
    assert deleted.delete_time.ToDatetime() == NOON.replace(tzinfo=None)
    ways = {
        "get_customer": rpc.GetCustomerRequest(id=customer_id),
        "get_customer_view": rpc.GetCustomerViewRequest(id=customer_id),
        "list_versions": rpc.ListVersionsRequest(customer_id=customer_id),
        "update_customer": rpc.UpdateCustomerRequest(customer={"id": customer_id, "industry": "餐饮"}),
        "reveal_customer": rpc.RevealCustomerRequest(id=customer_id, reason="核对电话号码"),
        "delete_customer": rpc.DeleteCustomerRequest(id=customer_id),
    }
    for method, request in ways.items():
        with pytest.raises(CustomerNotFound):
            me.ask(method, request)
    as_of = rpc.GetCustomerRequest(id=customer_id)
    as_of.as_of.FromDatetime(NOON)
    with pytest.raises(CustomerNotFound):
        me.ask("get_customer", as_of)
    assert not me.ask("list_customers", rpc.ListCustomersRequest()).customers
    assert me.ask("count_customers", rpc.CountCustomersRequest()).customers == 0
    [shown] = me.ask("list_customers", rpc.ListCustomersRequest(show_deleted=True)).customers
    assert shown.HasField("delete_time")


def test_a_deleted_customer_comes_back_as_it_was(me: Client) -> None:
    customer_id = person(me, industry="餐饮")
    before = me.get(customer_id)
    delete(me, customer_id)
    undelete(me, customer_id)
    after = me.get(customer_id)
    assert after.etag == "3"
    before.etag = after.etag
    assert after == before


def test_what_somebody_changed_meanwhile_is_not_deleted(me: Client) -> None:
    customer_id = person(me)
    me.ask("update_customer", rpc.UpdateCustomerRequest(customer={"id": customer_id, "industry": "餐饮"}))
    with pytest.raises(StaleEtag):
        delete(me, customer_id, etag="1")
    assert me.get(customer_id).id == customer_id


def test_what_is_not_deleted_cannot_be_brought_back(me: Client) -> None:
    customer_id = person(me)
    with pytest.raises(CustomerNotDeleted):
        undelete(me, customer_id)


def test_deletion_and_return_are_told_and_noted(app: CustomerApp, me: Client) -> None:
    customer_id = person(me)
    delete(me, customer_id)
    undelete(me, customer_id)
    bodies = app.reader.rows("select body from outbox order by seq")
    told = [json.loads(row.body)["data"]["customers"][0] for row in bodies]
    assert [(one["version"], one.get("deleted", False)) for one in told] == [
        (1, False),
        (2, True),
        (3, False),
    ]
    noted = app.reader.rows("select action from audit where object_id = %s order by id", (customer_id,))
    assert [row.action for row in noted] == ["create", "delete", "undelete"]


def test_after_thirty_days_nothing_of_the_person_remains_but_the_audit(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    customer_id = person(me, external_ids=[{"source": "erp", "value": "1"}])
    kept = person(me, "李雷")
    delete(me, customer_id)
    assert fire(app, clock, KEPT - timedelta(seconds=1)) == 0
    assert fire(app, clock, KEPT) == 1
    for table in ("external_ids", "customer_versions", "match_keys"):
        found = app.reader.rows(f"select 1 as one from {table} where customer_id = %s", (customer_id,))
        assert not found, table
    assert [row.id for row in app.reader.rows("select id from customers")] == [UUID(kept)]
    subject = UUID(customer_id)
    assert app.keyring.erased([subject], "operational") == {subject}
    assert app.keyring.keys([UUID(kept)], "operational")
    [last] = app.reader.rows("select actor_id, object_id from audit where action = 'purge'")
    assert last == ("customer", customer_id)
    with pytest.raises(CustomerNotFound):
        undelete(me, customer_id)


def test_a_customer_that_came_back_is_not_purged(app: CustomerApp, me: Client, clock: FixedClock) -> None:
    customer_id = person(me)
    delete(me, customer_id)
    undelete(me, customer_id)
    assert fire(app, clock, KEPT) == 0
    assert me.get(customer_id).id == customer_id


def test_one_deleted_again_is_purged_thirty_days_after_the_last_time(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    customer_id = person(me)
    delete(me, customer_id)
    undelete(me, customer_id)
    clock.instant = NOON + timedelta(days=3)
    delete(me, customer_id)
    assert fire(app, clock, KEPT) == 0
    assert fire(app, clock, KEPT + timedelta(days=3)) == 1


def test_what_was_merged_into_a_customer_is_deleted_and_purged_with_it(
    app: CustomerApp, me: Client, clock: FixedClock
) -> None:
    survivor, absorbed = person(me), person(me, "王晓明")
    with app.work(me.principal) as work:
        merge_customers(work, UUID(survivor), [UUID(absorbed)])
    delete(me, absorbed)
    for customer_id in (survivor, absorbed):
        with pytest.raises(CustomerNotFound):
            me.get(customer_id)
    fire(app, clock, KEPT)
    assert not app.reader.rows("select 1 as one from customers")
    both = {UUID(survivor), UUID(absorbed)}
    assert app.keyring.erased(both, "operational") == both
