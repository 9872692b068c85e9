"""Who sees personal fields whole, who masked, and what a reveal leaves behind."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import customer_service_pb2 as rpc
from crm.options.v1 import options_pb2
from customer.domain.errors import CustomerNotFound, NotAPerson
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Scope
from kernel.rpc.masking import masked
from tests.customer.api.calls import Client, user

PERSON = {
    "full_name": "王小明",
    "phones": ["+8613812345678"],
    "emails": ["li@example.com"],
    "street_address": "中山路 1 号",
    "birth_date": "1990-01-01",
    "identity_number": "11010519491231002X",
}
MASKED = {
    "full_name": "王小明",
    "phones": ["138****5678"],
    "emails": ["l***@example.com"],
    "street_address": "***",
    "birth_date": "***",
    "identity_number": "***",
}
FIELDS = [f"person.{name}" for name in MASKED if name != "full_name"]


def seller(app: CustomerApp) -> Client:
    scopes = dict.fromkeys(("customers_read", "customers_create", "customers_update", "personal_read"))
    return Client(app, user(**dict.fromkeys(scopes, Scope.OWN)))


def manager(app: CustomerApp, **more: Scope) -> Client:
    return Client(app, user(customers_read=Scope.ALL, customers_update=Scope.ALL, **more))


def seen(person: pb.Person) -> dict[str, Any]:
    return {
        field.name: value if isinstance(value, str) else list(value) for field, value in person.ListFields()
    }


def test_whoever_may_read_personal_data_of_a_customer_sees_it_whole(app: CustomerApp) -> None:
    me = seller(app)
    created = me.create(person=PERSON)
    for shown in (created, me.get(created.id)):
        assert seen(shown.person) == PERSON
        assert not shown.masked_fields


def test_whoever_may_only_read_customers_sees_personal_data_masked(app: CustomerApp) -> None:
    customer_id = seller(app).create(person=PERSON).id
    boss = manager(app)
    view = boss.ask("get_customer_view", rpc.GetCustomerViewRequest(id=customer_id))
    page = boss.ask("list_customers", rpc.ListCustomersRequest())
    for shown in (boss.get(customer_id), view.customer, *page.customers):
        assert seen(shown.person) == MASKED
        assert sorted(shown.masked_fields) == sorted(FIELDS)


def test_what_is_empty_is_not_called_masked(app: CustomerApp) -> None:
    customer_id = seller(app).create(person={"full_name": "王小明", "phones": ["+8613812345678"]}).id
    assert manager(app).get(customer_id).masked_fields == ["person.phones"]


def test_a_list_without_persons_masks_nothing(app: CustomerApp) -> None:
    seller(app).create(person=PERSON)
    request = rpc.ListCustomersRequest(fields=rpc.CUSTOMER_FIELDS_IMPERSONAL)
    [shown] = manager(app).ask("list_customers", request).customers
    assert not shown.masked_fields
    assert not seen(shown.person)


def test_companies_are_shown_as_they_are(app: CustomerApp) -> None:
    customer_id = seller(app).create(company={"name": "某某公司", "phones": ["+862112345678"]}).id
    shown = manager(app).get(customer_id)
    assert list(shown.company.phones) == ["+862112345678"]
    assert not shown.masked_fields


def test_one_page_shows_own_customers_whole_and_others_masked(app: CustomerApp) -> None:
    me = Client(app, user(customers_read=Scope.ALL, customers_create=Scope.ALL, personal_read=Scope.OWN))
    mine = me.create(person=PERSON).id
    others = seller(app).create(person=PERSON).id
    page = me.ask("list_customers", rpc.ListCustomersRequest()).customers
    assert {c.id: bool(c.masked_fields) for c in page} == {mine: False, others: True}


def test_a_collaborator_sees_what_the_owner_sees(app: CustomerApp) -> None:
    me, colleague = seller(app), seller(app)
    customer_id = me.create(person=PERSON, collaborator_ids=[colleague.id]).id
    shown = colleague.get(customer_id)
    assert seen(shown.person) == PERSON
    assert list(shown.collaborator_ids) == [colleague.id]


def test_the_answer_to_a_change_is_masked_like_a_read(app: CustomerApp) -> None:
    customer_id = seller(app).create(person=PERSON).id
    change = rpc.UpdateCustomerRequest(customer={"id": customer_id, "industry": "餐饮"})
    shown = manager(app).ask("update_customer", change)
    assert shown.industry == "餐饮"
    assert seen(shown.person) == MASKED


def test_a_masked_value_sent_back_does_not_overwrite_what_it_hides(app: CustomerApp) -> None:
    me = seller(app)
    customer_id = me.create(person=PERSON).id
    boss = manager(app)
    shown = boss.get(customer_id)
    with pytest.raises(Invalid) as refused:
        boss.ask("update_customer", rpc.UpdateCustomerRequest(customer=shown))
    assert {v.field for v in refused.value.violations} >= {
        "customer.person.emails[0]",
        "customer.person.street_address",
        "customer.person.identity_number",
    }
    assert seen(me.get(customer_id).person) == PERSON


def test_a_reveal_shows_everything_and_is_noted_with_its_reason(app: CustomerApp) -> None:
    customer_id = seller(app).create(person=PERSON).id
    boss = manager(app, personal_reveal=Scope.ALL)
    request = rpc.RevealCustomerRequest(id=customer_id, reason=" 客户来电核对 ")
    assert seen(boss.ask("reveal_customer", request).person) == PERSON
    row = app.reader.row("select actor_id, object_id, facts from audit where action = 'reveal'")
    assert row == (boss.id, customer_id, {"reason": "客户来电核对"})


def test_a_reveal_without_a_reason_is_refused_and_shows_nothing(app: CustomerApp) -> None:
    customer_id = seller(app).create(person=PERSON).id
    boss = manager(app, personal_reveal=Scope.ALL)
    with pytest.raises(Invalid):
        boss.ask("reveal_customer", rpc.RevealCustomerRequest(id=customer_id, reason="why  "))
    assert not app.reader.rows("select 1 as one from audit where action = 'reveal'")


def test_a_reveal_reaches_no_further_than_its_own_permission(app: CustomerApp) -> None:
    customer_id = seller(app).create(person=PERSON).id
    other = manager(app, personal_reveal=Scope.OWN)
    with pytest.raises(CustomerNotFound):
        other.ask("reveal_customer", rpc.RevealCustomerRequest(id=customer_id, reason="核对电话号码"))


def test_of_a_company_there_is_nothing_to_reveal(app: CustomerApp) -> None:
    customer_id = seller(app).create(company={"name": "某某公司"}).id
    boss = manager(app, personal_reveal=Scope.ALL)
    with pytest.raises(NotAPerson):
        boss.ask("reveal_customer", rpc.RevealCustomerRequest(id=customer_id, reason="核对电话号码"))


def test_reads_and_reveals_are_noted_as_views_of_that_customer(app: CustomerApp) -> None:
    me = seller(app)
    customer_id = me.create(person=PERSON).id
    me.get(customer_id)
    assert me.viewed == [("customer", [UUID(customer_id)])]


def test_every_personal_field_of_a_person_is_masked_as_it_declares() -> None:
    """A field added later is masked by its option alone; one without a mask can't be declared."""
    declared = {
        str(field.name): field.GetOptions().Extensions[options_pb2.personal].mask
        for field in pb.Person.DESCRIPTOR.fields
    }
    values = {name: ["+8613812345678"] if name in ("phones", "emails") else "1990" for name in declared}
    shown, names = masked(pb.Person, values)
    assert set(names) == {name for name, how in declared.items() if how != options_pb2.MASK_NONE}
    assert all(shown[name] != values[name] for name in names)
