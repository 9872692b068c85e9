"""Personal data that went in is not readable in databases, queues, Redis or logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from crm.customer.v1.customer_pb2 import Company, Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    GetCustomerRequest,
    ListCustomersRequest,
    UpdateCustomerRequest,
)
from crm_cli.client import Account, Gateway, Refused, Session
from crm_cli.tour.people import MadeUpPerson, make_up
from tests.system.behind import Behind
from tests.system.conftest import Tell
from tests.system.erp import Erp
from tests.system.planted import Planted, plant
from tests.system.traces import dump, search, traces, traces_of

_PERSONS = 40
# Declared to be in clear: found where it must be found, it shows that the search works.
CLEAR = MadeUpPerson("明文对照有限公司", "02188886666", "clear.control@example.com")


@dataclass
class Poured:
    """Everybody whose data went in by any way, and where it was looked for."""

    people: list[MadeUpPerson]
    planted: Planted
    folder: Path

    def found_in(self, *where: Path) -> list[str]:
        sought = {trace: name for person in self.people for trace, name in traces_of(person).items()}
        return search(sought | traces(self.planted.words), where)


@pytest.fixture(scope="module")
def poured(
    behind: Behind, erp: Account, admin: Session, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Poured:
    """Accepted and refused commands, changes, reads, logins and orders, all with personal data."""
    behind.await_well()
    feed, session = Erp(f"secrecy {uuid4().hex[:8]}"), erp.session()
    people = _distinct(feed.record_people(session, _PERSONS))
    feed.tell_orders(session, feed.invent(100))
    others = list(islice(_unmistakable(f"more {feed.source}"), 12))
    _change(session, list(feed.ids.values()), others[:4])
    _be_refused(session, gateway, erp.token(), others[4:8])
    _sign_in_with(gateway, others[8:])
    _record_company(session)
    for customer_id in feed.ids.values():
        admin.call(admin.customers.GetCustomer, GetCustomerRequest(id=customer_id))
    admin.call(admin.customers.ListCustomers, ListCustomersRequest(page_size=200))
    planted = plant(session)
    behind.await_silence()
    return Poured(people + others, planted, tmp_path_factory.mktemp("secrecy"))


def test_a_thousand_words_were_planted_and_each_kind_would_be_found(poured: Poured) -> None:
    assert len(poured.planted) >= 1_000
    for kind, words in poured.planted.words.items():
        kept = poured.folder / "kept"
        kept.write_text("\n".join(word.encode().hex() for word in words))
        found = poured.found_in(kept)
        assert found
        assert all(name.startswith(kind) for name in found)


def test_the_search_finds_what_is_in_clear(poured: Poured, behind: Behind) -> None:
    found = search(traces_of(CLEAR), [dump(behind, "main", poured.folder)])
    assert "full name utf-8 in main.sql" in found


def test_a_dump_of_the_main_cluster_holds_nobody(poured: Poured, behind: Behind, tell: Tell) -> None:
    dumped = dump(behind, "main", poured.folder)
    sought = f"{len(poured.people)} people and {len(poured.planted)} words"
    tell(f"secrecy: {sought} sought in a dump of {dumped.stat().st_size / 1e6:.1f} MB")
    assert poured.found_in(dumped) == []


def test_a_dump_of_the_keyring_cluster_holds_nobody(poured: Poured, behind: Behind) -> None:
    assert poured.found_in(dump(behind, "keyring", poured.folder)) == []


def test_files_of_the_main_cluster_hold_nobody(poured: Poured, behind: Behind) -> None:
    """Tables, indexes, logs of changes: also what no query shows any more."""
    [(folder,)] = behind.rows("postgres", "show data_directory")
    behind.rows("postgres", "select pg_switch_wal()")
    assert poured.found_in(Path(folder)) == []


def test_the_queues_hold_nobody(poured: Poured, behind: Behind) -> None:
    """Messages that were heard stand in the broker's files for a while."""
    folder = Path(behind.stack.folder, "rabbitmq")
    assert search({b"crm.sales.v1.OrdersRecorded": "event"}, [folder])
    assert poured.found_in(folder) == []


def test_redis_holds_nobody(poured: Poured, behind: Behind) -> None:
    content = poured.folder / "redis"
    with redis.Redis.from_url(behind.stack.server("redis").url) as client:
        keys = list(client.scan_iter())
        assert keys, "nobody's failed login was counted"
        content.write_bytes(b"\n".join(key + b"\n" + (client.dump(key) or b"") for key in keys))
    assert poured.found_in(content) == []


def test_the_logs_hold_nobody(poured: Poured, behind: Behind, tell: Tell) -> None:
    files = behind.log_files()
    tell(f"secrecy: {len(files)} logs with {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
    assert poured.found_in(*files) == []


@pytest.mark.feature("P-09")
def test_sensitive_fields_are_sealed_at_rest_and_read_through_the_gateway(
    poured: Poured, behind: Behind, gateway: Gateway, erp: Account
) -> None:
    [person] = islice(_unmistakable(f"sealed {uuid4()}"), 1)
    body = {"person": {"fullName": person.full_name, "phones": [person.phone], "emails": [person.email]}}
    made = gateway.json("POST", "/v1/customers", body, erp.token()).body or {}
    read = gateway.json("GET", f"/v1/customers/{made['id']}", None, erp.token()).body or {}
    assert (read["person"]["fullName"], read["person"]["phones"]) == (
        person.full_name,
        [f"+86{person.phone}"],
    )
    query = "select sealed from app.customers where id::text = %s"
    [(sealed,)] = behind.rows("customer", query, made["id"])
    kept = poured.folder / "sealed"
    kept.write_bytes(sealed)
    assert len(sealed) > len(person.full_name.encode())
    assert search(traces_of(person), [kept]) == []


def _unmistakable(seed: str) -> Iterator[MadeUpPerson]:
    """People whose traces are no accident: long names, no number that looks like a time."""
    for person in make_up(seed):
        if len(person.full_name) >= 3 and not person.phone.startswith("17"):
            yield person


def _distinct(people: list[MadeUpPerson]) -> list[MadeUpPerson]:
    return [one for one in people if len(one.full_name) >= 3 and not one.phone.startswith("17")]


def _change(session: Session, ids: list[str], people: list[MadeUpPerson]) -> None:
    """The data of people who take the place of others."""
    for customer_id, person in zip(ids, people, strict=False):
        customer = session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
        customer.person.CopyFrom(_person(person))
        request = UpdateCustomerRequest(customer=customer, request_id=str(uuid4()))
        request.update_mask.paths.extend(["person.full_name", "person.phones", "person.emails"])
        session.call(session.customers.UpdateCustomer, request)


def _be_refused(session: Session, gateway: Gateway, token: str, people: list[MadeUpPerson]) -> None:
    """Commands that are wrong in a field, by both doors: what is wrong must not be logged either."""
    for person in people:
        for wrong in (
            Person(full_name=person.full_name, phones=[f"{person.phone}0000000"]),
            Person(full_name=person.full_name, emails=[f"{person.email}@{person.email}"]),
            Person(full_name=person.full_name, birth_date=f"{person.full_name} {person.phone}"),
            Person(full_name=person.full_name * 200),
        ):
            request = CreateCustomerRequest(customer=Customer(person=wrong), request_id=str(uuid4()))
            with pytest.raises(Refused):
                session.call(session.customers.CreateCustomer, request)
        wrong_phone = {"fullName": person.full_name, "phones": [f"{person.phone}0000000"]}
        assert gateway.json("POST", "/v1/customers", {"person": wrong_phone}, token).status == 400
        no_list = {"fullName": {"zh": person.full_name}, "phones": {person.phone: person.email}}
        assert gateway.json("POST", "/v1/customers", {"person": no_list}, token).status == 400


def _sign_in_with(gateway: Gateway, people: list[MadeUpPerson]) -> None:
    """People type what they know where a login belongs."""
    for person in people:
        for typed in (person.email, person.phone, person.full_name):
            assert gateway.json("POST", "/v1/auth:login", {"login": typed, "password": typed}).status == 401


def _record_company(session: Session) -> None:
    company = Company(name=CLEAR.full_name, phones=[CLEAR.phone], emails=[CLEAR.email])
    request = CreateCustomerRequest(customer=Customer(company=company), request_id=str(uuid4()))
    session.call(session.customers.CreateCustomer, request)


def _person(person: MadeUpPerson) -> Person:
    return Person(full_name=person.full_name, phones=[person.phone], emails=[person.email])
