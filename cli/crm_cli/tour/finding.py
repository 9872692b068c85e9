"""Customers are found by what people type: numbers in any notation, beginnings and sounds of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from uuid import UUID, uuid5

from crm.customer.v1.customer_pb2 import Company, Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest, SearchCustomersRequest
from crm_cli.client import Refused, Session
from crm_cli.tour.feed import Tick
from crm_cli.tour.people import make_up

SOURCE = "crm tour find"
# Names of people by the number under which the ERP knows them.
PEOPLE = {
    "ouyang-1": "欧阳晓彤",
    "ouyang-2": "欧阳静",
    "zhang-1": "张国强",
    "zhang-2": "张晓明",
    "zhuge": "諸葛靜婉",
    "wang": "王小明",
    "anna": "Anna Lindqvist",
}
COMPANY, COMPANY_NAME = "company", "苏州巡航精密机械有限公司"
_CONTACTS = dict(zip(PEOPLE, islice(make_up(SOURCE), len(PEOPLE)), strict=True))
PHONES = {number: f"+86{who.phone}" for number, who in _CONTACTS.items()}


def questions() -> list[tuple[str, str, set[str]]]:
    """What is looked for, how it is typed, and who must be found."""
    phone, email = _CONTACTS["zhang-1"].phone, _CONTACTS["zhang-1"].email
    zhang = {"zhang-1"}
    return [
        ("phone, 11 digits", phone, zhang),
        ("phone, international", f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}", zhang),
        ("phone, 0086 and spaces", f"0086 {phone[:3]} {phone[3:7]} {phone[7:]}", zhang),
        ("phone of nobody", "13000000000", set()),
        ("e-mail in capitals", email.upper(), zhang),
        ("beginning of a name", "欧阳", {"ouyang-1", "ouyang-2"}),
        ("two neighbouring characters", "晓彤", {"ouyang-1"}),
        ("pinyin", "ouyangxiaotong", {"ouyang-1"}),
        ("pinyin of a surname", "zhang", {"zhang-1", "zhang-2"}),
        ("initials", "oyxt", {"ouyang-1"}),
        ("initials of one of two", "zgq", zhang),
        ("traditional for simplified", "張國強", zhang),
        ("simplified for traditional", "诸葛静婉", {"zhuge"}),
        ("beginning of a word", "lindq", {"anna"}),
        ("company", "巡航精密", {COMPANY}),
        ("company in pinyin", "suzhouxunhang", {COMPANY}),
    ]


def record(session: Session, run: UUID) -> dict[str, str]:
    """The ids of the people and the company by number, recorded now or in an earlier run."""
    customers = [
        Customer(
            person=Person(full_name=name, phones=[_CONTACTS[number].phone], emails=[_CONTACTS[number].email]),
            external_ids=[ExternalId(source=SOURCE, value=number)],
        )
        for number, name in PEOPLE.items()
    ]
    known = ExternalId(source=SOURCE, value=COMPANY)
    customers.append(Customer(company=Company(name=COMPANY_NAME), external_ids=[known]))
    request = BatchCreateCustomersRequest(customers=customers, request_id=str(uuid5(run, SOURCE)))
    outcomes = session.call(session.customers.BatchCreateCustomers, request).outcomes
    return {
        number: outcome.created_id or outcome.existing_id
        for number, outcome in zip([*PEOPLE, COMPANY], outcomes, strict=True)
    }


def differences(session: Session, ids: Mapping[str, str], tick: Tick) -> Iterator[str]:
    """Asks each question; yields those whose answer is not who must be found."""
    numbers = {customer_id: number for number, customer_id in ids.items()}
    for what, text, expected in questions():
        found = {numbers.get(customer_id, "somebody else") for customer_id in search(session, text)}
        tick(1)
        if found != expected:
            yield f"{what}: {', '.join(sorted(found)) or 'nobody'}"


def search(session: Session, text: str) -> list[str]:
    """Ids of those found by `text`, the first page."""
    request = SearchCustomersRequest(text=text)
    try:
        answer = session.call(session.customers.SearchCustomers, request)
    except Refused as refused:
        return [refused.reason]
    return [customer.id for customer in answer.customers]
