"""What other services ask of the customer service."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customer.v1 import contact_service_pb2 as contact_rpc
from crm.customer.v1 import customer_pb2 as pb
from crm.customer.v1 import intake_service_pb2 as intake_rpc
from crm.customer.v1 import subject_service_pb2 as subject_rpc
from customer.api.internal import ContactServicer, IntakeServicer, SubjectServicer
from customer.domain.customer import Company, Person
from customer.domain.errors import CustomerNotFound
from customer.usecases.delete_customer import delete_customer
from customer.usecases.merge_customers import merge_customers
from customer.wiring import CustomerApp
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.customer.duplicates.people import EVERYBODY, WANG, known

SALES = Principal.service("sales")
LI = Person("李雷", phones=("+8613800000002",), emails=("li@example.com",))


def ask(app: CustomerApp, servicer: Any, method: str, request: Any) -> Any:
    with app.work(SALES) as work:
        return getattr(servicer(app), method)(request, Call(SALES, "en", "", lambda kind, ids: None, work))


def contacts(app: CustomerApp, *ids: object, purpose: str = "campaign 1") -> list[contact_rpc.Contact]:
    request = contact_rpc.GetContactsRequest(customer_ids=map(str, ids), purpose=purpose)
    return list(ask(app, ContactServicer, "get_contacts", request).contacts)


def by_address(app: CustomerApp, **address: str) -> list[str]:
    request = contact_rpc.FindByAddressRequest(**address)
    return list(ask(app, ContactServicer, "find_by_address", request).customer_ids)


def merged(app: CustomerApp, survivor: object, absorbed: object) -> None:
    with app.work(EVERYBODY) as work:
        merge_customers(work, survivor, [absorbed])  # type: ignore[arg-type, list-item]


def test_contacts_come_in_the_order_asked_for_without_those_who_do_not_exist(app: CustomerApp) -> None:
    li, firm = known(app, LI), known(app, Company("海风餐饮", emails=("info@example.com",)))
    told = contacts(app, firm, new_id(), li)
    assert [(c.customer_id, c.full_name, list(c.emails), list(c.phones)) for c in told] == [
        (str(firm), "海风餐饮", ["info@example.com"], []),
        (str(li), "李雷", ["li@example.com"], ["+8613800000002"]),
    ]


def test_a_merged_customer_is_reached_through_its_survivor_by_all_addresses(app: CustomerApp) -> None:
    li, other = known(app, LI), known(app, Person("李雷", emails=("lei@example.com",)))
    merged(app, li, other)
    [told] = contacts(app, other)
    assert (told.customer_id, told.survivor_id) == (str(other), str(li))
    assert set(told.emails) == {"li@example.com", "lei@example.com"}


def test_of_a_deleted_customer_nothing_is_told_but_that(app: CustomerApp) -> None:
    li = known(app, LI)
    with app.work(SALES) as work:
        delete_customer(work, li, "")
    [told] = contacts(app, li)
    assert told == contact_rpc.Contact(customer_id=str(li), survivor_id=str(li), deleted=True)
    assert by_address(app, email="li@example.com") == []


def test_of_somebody_whose_key_is_gone_nothing_is_told_but_that(app: CustomerApp) -> None:
    li = known(app, LI)
    app.keyring.destroy([li])
    [told] = contacts(app, li)
    assert (told.deleted, told.full_name, list(told.emails)) == (True, "", [])


def test_telling_contacts_is_audited_with_its_purpose(app: CustomerApp) -> None:
    li = known(app, LI)
    contacts(app, li, purpose="campaign 7")
    row = app.reader.row("select actor_id, facts from audit where action = 'tell_contacts'")
    assert row is not None
    assert (row.actor_id, row.facts) == ("sales", {"purpose": "campaign 7", "ids": [str(li)]})


@pytest.mark.parametrize(("ids", "purpose"), [(0, "x"), (501, "x"), (1, "  "), (1, "x" * 201)])
def test_too_many_and_purposeless_questions_are_refused(app: CustomerApp, ids: int, purpose: str) -> None:
    with pytest.raises(Invalid):
        contacts(app, *(new_id() for _ in range(ids)), purpose=purpose)


def test_an_address_finds_its_customers_oldest_first(app: CustomerApp) -> None:
    first, second = known(app, LI), known(app, Person("韩梅梅", phones=LI.phones))
    assert by_address(app, phone="138 0000 0002") == [str(first), str(second)]
    assert by_address(app, email="LI@Example.com") == [str(first)]
    assert by_address(app, email="nobody@example.com") == []


@pytest.mark.parametrize("wrong", [{}, {"email": "13800000002"}, {"phone": "li@example.com"}, {"phone": "x"}])
def test_what_is_no_address_is_refused(app: CustomerApp, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        by_address(app, **wrong)


def test_a_subject_has_all_ids_of_its_group(app: CustomerApp) -> None:
    wang, other = known(app, WANG), known(app, Person("王小明"))
    merged(app, other, wang)
    request = subject_rpc.ResolveSubjectRequest(customer_id=str(wang))
    assert ask(app, SubjectServicer, "resolve_subject", request) == subject_rpc.ResolveSubjectResponse(
        subject_ids=sorted([str(wang), str(other)]), survivor_id=str(other), kind="person"
    )


def test_nobody_is_no_subject(app: CustomerApp) -> None:
    with pytest.raises(CustomerNotFound):
        ask(
            app,
            SubjectServicer,
            "resolve_subject",
            subject_rpc.ResolveSubjectRequest(customer_id=str(new_id())),
        )


def test_a_person_is_resolved_with_what_is_known_of_the_channel(app: CustomerApp) -> None:
    request = intake_rpc.ResolvePersonRequest(
        person=pb.Person(full_name="李雷", phones=["13800000002"]), source_channel="web", province="上海"
    )
    answer = ask(app, IntakeServicer, "resolve_person", request)
    row = app.reader.row(
        "select source_channel, province from customers where id = %s", (answer.customer_id,)
    )
    assert (answer.created, answer.owner_id) == (True, "")
    assert row == ("web", "上海")


def test_who_is_neither_person_nor_company_is_refused(app: CustomerApp) -> None:
    with pytest.raises(Invalid) as refused:
        ask(app, IntakeServicer, "resolve_person", intake_rpc.ResolvePersonRequest())
    assert [violation.field for violation in refused.value.violations] == ["kind"]
