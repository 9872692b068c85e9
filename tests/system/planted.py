"""Words that stand nowhere else, planted into every personal field by every door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from uuid import uuid4

from crm.customer.v1 import export_service_pb2 as exports
from crm.customer.v1 import timeline_service_pb2 as timelines
from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    BatchCreateCustomersRequest,
    CreateCustomerRequest,
    UpdateCustomerRequest,
)
from crm_cli.client import Session, wait_until
from tests.system.importing import LONGEST, Importing, csv_of

_HAN = "璟珩昀澍翊晏筱瑾锦煦霁岚槿栩桉琮璇瑄珞珂玥琬琰瑜璠瑛琇玮珅珺琚瑗瑭璁"
_COLUMNS = ("编号", "姓名", "手机", "邮箱", "地址", "出生日期", "身份证号")
_FIELDS = ["full_name", "phones", "emails", "street_address", "birth_date", "identity_number"]
# People by the door they come through; of each everything is planted.
CREATED, BATCHED, IMPORTED = 40, 50, 60
SAID = 100


@dataclass
class Planted:
    """`words` by what they are: what a search has to look for. Days are ISO, of years in which nothing
    else happened."""

    words: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = Random(uuid4().hex)

    def __len__(self) -> int:
        return sum(map(len, self.words.values()))

    def person(self) -> Person:
        return Person(
            full_name=self._note("full name", self._some(_HAN, 5)),
            phones=[self._note("phone", "13" + self._some("0123456789", 9))],
            emails=[self._note("e-mail", self._some("abcdefghijklmnopqrstuvwxyz", 16) + "@example.com")],
            street_address=self._note("street line", f"{self._some(_HAN, 6)}路{self._some(_HAN, 3)}苑"),
            birth_date=self._note("birth date", self._day()),
            identity_number=self._note("id number", self._some("0123456789", 17) + "X"),
        )

    def people(self) -> Iterator[Person]:
        while True:
            yield self.person()

    def said(self) -> str:
        return self._note("free text", self._some(_HAN, 12))

    def _day(self) -> str:
        chance = self._chance
        return f"{chance.randint(1941, 1969)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"

    def _some(self, characters: str, count: int) -> str:
        return "".join(self._chance.choices(characters, k=count))

    def _note(self, kind: str, word: str) -> str:
        self.words.setdefault(kind, []).append(word)
        return word


def plant(session: Session) -> Planted:
    """Through creating, changing, a batch, a file with its report and its export, and conversations."""
    planted = Planted()
    people = planted.people()
    ids = [_created(session, person) for person in islice(people, CREATED)]
    for customer_id, person in zip(ids[: CREATED // 2], people, strict=False):
        _change(session, customer_id, person)
    batch = BatchCreateCustomersRequest(
        customers=[Customer(person=person) for person in islice(people, BATCHED)], request_id=str(uuid4())
    )
    outcomes = session.call(session.customers.BatchCreateCustomers, batch).outcomes
    assert all(outcome.created_id for outcome in outcomes)
    _import(session, list(islice(people, IMPORTED)))
    for number in range(SAID):
        _say(session, ids[number % CREATED], planted.said())
    return planted


def _created(session: Session, person: Person) -> str:
    request = CreateCustomerRequest(customer=Customer(person=person), request_id=str(uuid4()))
    return str(session.call(session.customers.CreateCustomer, request).id)


def _change(session: Session, customer_id: str, person: Person) -> None:
    customer = Customer(id=customer_id, person=person)
    request = UpdateCustomerRequest(customer=customer, request_id=str(uuid4()))
    request.update_mask.paths.extend(f"person.{name}" for name in _FIELDS)
    session.call(session.customers.UpdateCustomer, request)


def _import(session: Session, people: Sequence[Person]) -> None:
    """A file of which some rows are refused; then what it brought leaves as a file."""
    rows = [
        (
            str(number), one.full_name, one.phones[0], one.emails[0], one.street_address, one.birth_date,
            one.identity_number if number % 10 else f"{one.identity_number} is none",
        )
        for number, one in enumerate(people)
    ]  # fmt: skip
    bringing = Importing(session)
    done = bringing.done(csv_of(_COLUMNS, rows))
    assert (done.rows_created, done.rows_refused) == (len(people) * 9 // 10, len(people) // 10)
    assert len(bringing.report(done.id)) == done.rows_refused
    request = exports.StartExportRequest(
        format=exports.EXPORT_FORMAT_CSV, reason="system tests", request_id=str(uuid4()),
        source=bringing.source, fields=["external_id", *(f"person.{name}" for name in _FIELDS)],
        filter='create_time > timestamp("2020-01-01T00:00:00Z")',
    )  # fmt: skip
    export_id = session.call(session.exports.StartExport, request).id
    running = exports.EXPORT_STATE_RUNNING

    def left() -> bool | None:
        export = session.call(session.exports.GetExport, exports.GetExportRequest(id=export_id))
        return None if export.state == running else True

    wait_until(left, LONGEST)


def _say(session: Session, customer_id: str, text: str) -> None:
    interaction = timelines.Interaction(
        kind=timelines.INTERACTION_KIND_COMPLAINT, channel="phone", content=text
    )
    request = timelines.RecordInteractionRequest(
        customer_id=customer_id, interaction=interaction, request_id=str(uuid4())
    )
    session.call(session.timelines.RecordInteraction, request)
