"""Files come in through the gateway: tried first, mapped, compared with who is known, and only once."""

from __future__ import annotations

from itertools import islice
from uuid import uuid4

import grpc
import pytest

from crm.customer.v1 import import_service_pb2 as pb
from crm.customer.v1.customer_pb2 import Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm_cli.client import Account, Refused
from crm_cli.tour.people import MadeUpPerson, make_up
from tests.system.importing import Importing, csv_of, search

HEADER = ("编号", "姓名", "手机", "邮箱")


def people(count: int) -> list[MadeUpPerson]:
    return list(islice(make_up(uuid4().hex), count))


def rows_of(made_up: list[MadeUpPerson]) -> list[tuple[str, str, str, str]]:
    return [(f"{n:05}", one.full_name, one.phone, one.email) for n, one in enumerate(made_up)]


@pytest.mark.feature("C-10")
def test_exactly_100_rows_come_first_and_the_rest_when_somebody_says_so(erp: Account) -> None:
    bringing, persons = Importing(erp.session()), people(130)
    tried = bringing.tried(csv_of(HEADER, rows_of(persons)))
    assert (tried.state, tried.rows_read, tried.rows_created) == (pb.IMPORT_STATE_TRIAL_DONE, 100, 100)
    assert [len(search(bringing.session, persons[place].phone)) for place in (99, 100)] == [1, 0]
    bringing.confirm(tried.id)
    done = bringing.at_rest(tried.id)
    assert (done.state, done.rows_read, done.rows_created) == (pb.IMPORT_STATE_DONE, 130, 130)
    assert len(search(bringing.session, persons[129].phone)) == 1


@pytest.mark.feature("C-11")
def test_columns_are_mapped_to_fields_and_a_wrong_mapping_stores_nothing(erp: Account) -> None:
    bringing = Importing(erp.session(), kind="company")
    name = f"{uuid4().hex[:8]} 精密制造有限公司"
    content = csv_of(
        ("客户编号", "企业名称", "客户行业", "公司规模", "备注"), [("1", name, "机械", "小型", "x")]
    )
    upload_id = bringing.upload(content)
    suggested = bringing.suggested(upload_id)
    fields = {column.column: column.field for column in suggested.columns}
    assert fields == {
        "客户编号": "external_id", "企业名称": "company.name", "客户行业": "industry",
        "公司规模": "company.size", "备注": "",
    }  # fmt: skip
    assert list(suggested.missing_fields) == []
    for wrong in (
        fields | {"备注": "industry"},
        fields | {"备注": "no.such.field"},
        {"客户编号": "external_id", "客户行业": "industry"},
        fields | {"不存在": "city"},
    ):
        with pytest.raises(Refused) as refused:
            bringing.start(upload_id, wrong)
        assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    started = bringing.start(upload_id, fields)
    bringing.at_rest(started.id)
    [company] = search(bringing.session, name)
    assert (company.company.name, company.industry, company.company.size) == (name, "机械", 2)


def test_a_file_is_read_while_a_large_one_is_being_stored(erp: Account) -> None:
    bringing, persons = Importing(erp.session()), people(20_000)
    large = bringing.tried(csv_of(HEADER, rows_of(persons)))
    bringing.confirm(large.id)
    upload_id = bringing.upload(csv_of(HEADER, rows_of(persons[:1])))
    suggested = bringing.suggested(upload_id)
    assert bringing.now(large.id).state == pb.IMPORT_STATE_RUNNING
    assert [column.field for column in suggested.columns][:2] == ["external_id", "person.full_name"]
    bringing.cancel(large.id)


def test_a_file_that_cannot_be_read_says_so_in_its_state(erp: Account) -> None:
    bringing = Importing(erp.session())
    unread = pb.GetUploadRequest(id=bringing.upload(b"\n\n"))
    upload = bringing.session.call(bringing.session.imports.GetUpload, unread)
    assert (upload.state, upload.error) == (pb.UPLOAD_STATE_UNREADABLE, "The file has no header.")
    with pytest.raises(Refused) as refused:
        bringing.suggested(upload.id)
    assert (refused.value.code, refused.value.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "FILE_EMPTY",
    )


@pytest.mark.feature("C-12")
def test_who_came_through_several_channels_is_one_customer(erp: Account) -> None:
    session, [person] = erp.session(), people(1)
    online = ExternalId(source=f"shop {uuid4().hex[:8]}", value="1")
    customer = Customer(
        person=Person(full_name=person.full_name, phones=[person.phone]), external_ids=[online]
    )
    request = CreateCustomerRequest(customer=customer, request_id=str(uuid4()))
    first = session.call(session.customers.CreateCustomer, request)
    channels = [Importing(session), Importing(session)]
    merged = [bringing.tried(csv_of(HEADER, rows_of([person]))).rows_merged for bringing in channels]
    [known] = search(session, person.phone)
    assert merged == [1, 1]
    assert known.id == first.id
    assert {one.source for one in known.external_ids} == {online.source, *(c.source for c in channels)}
    assert list(known.person.emails) == [person.email], "what the first channel did not know"


@pytest.mark.feature("C-13")
def test_rows_are_cleansed_completed_and_reported(erp: Account) -> None:
    """Notation is made one; a duplicate fills the gap of the other; what can't be mended is told."""
    bringing, (one, other) = Importing(erp.session()), people(2)
    wide = one.phone.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    rows = [
        ("1", f"  {one.full_name} ", f"{wide[:3]}-{wide[3:7]} {wide[7:]}", "", "1990年1月5日"),
        ("2", one.full_name, "", one.email.upper(), "1990/1/5"),
        ("3", one.full_name, one.phone, one.email, "1990-01-05"),
        ("4", other.full_name, "12", "", "31/31/1990"),
        ("5", "", other.phone, "", ""),
    ]
    tried = bringing.tried(csv_of((*HEADER, "出生日期"), rows))
    assert (tried.rows_read, tried.rows_refused) == (5, 2)
    found = search(bringing.session, one.email)
    assert [list(customer.person.phones) for customer in found] == [[f"+86{one.phone}"]]
    assert (found[0].person.full_name, found[0].person.birth_date) == (one.full_name, "1990-01-05")
    refused = {
        row.line: {(problem.column, problem.rule) for problem in row.problems}
        for row in bringing.report(tried.id)
        if row.outcome == pb.ROW_OUTCOME_REFUSED
    }
    assert refused == {
        5: {("手机", "PHONE_FORMAT"), ("出生日期", "DATE_FORMAT")},
        6: {("姓名", "REQUIRED")},
    }
