"""People whose data rests are refused everywhere, and of those who were erased nothing is left but facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.customer.v1 import contact_service_pb2 as contact_rpc
from crm.customer.v1 import customer_service_pb2 as rpc
from crm.customer.v1 import timeline_service_pb2 as timeline_rpc
from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectsRestricted
from customer.api.internal import ContactServicer
from customer.api.timeline import TimelineServicer
from customer.domain.customer import ExternalId, Person, Profile
from customer.domain.errors import CustomerNotFound
from customer.domain.interaction import InteractionDraft
from customer.events.subscriptions import CustomerEvents
from customer.store import finding
from customer.store.duplicate_queries import list_pairs
from customer.usecases.check_duplicates import check_duplicates
from customer.usecases.merge_customers import merge_customers
from customer.usecases.record_interaction import record_interaction
from customer.usecases.update_customer import update_customer
from customer.wiring import CustomerApp
from kernel.bus.envelope import parse
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from kernel.sql.subjects import SubjectRestricted
from tests.contracts.examples import example, promised, same_shape
from tests.customer.api.calls import Client, user
from tests.customer.conftest import NOON
from tests.customer.duplicates.people import EVERYBODY, WANG, known
from tests.customer.groups.world import group, members, order, settle
from tests.customer.timeline.world import ask

ITSELF = Principal.service("customer")
OFFICER = Principal(
    PrincipalKind.USER,
    str(new_id()),
    {f"customer.{name}.read": Scope.ALL for name in ("customers", "restricted", "personal")},
)


def hear(
    app: CustomerApp, event_class: type[Message], handler: Callable[..., None], data: dict[str, Any]
) -> None:
    body = example("customer", event_class.DESCRIPTOR.full_name)
    body["data"] |= data
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(ITSELF) as work:
        handler(CustomerEvents(), work, event, envelope)


def restrict(app: CustomerApp, *ids: UUID, restricted: bool = True, version: int = 1) -> None:
    request = str(new_id())
    told = [
        {"subjectId": str(i), "version": version, "restricted": restricted, "requestId": request} for i in ids
    ]
    hear(app, SubjectsRestricted, CustomerEvents.follow_restrictions, {"subjects": told})


def erase(app: CustomerApp, *ids: UUID, attempt: int = 1) -> dict[str, Any]:
    """Answers the receipt."""
    data = {"requestId": str(new_id()), "attempt": attempt, "subjectIds": [str(i) for i in ids]}
    hear(app, ErasureOrdered, CustomerEvents.erase_subjects, data)
    query = "select body from outbox where type = 'crm.customer.v1.SubjectErased' order by seq desc limit 1"
    row = app.reader.row(query)
    assert row is not None
    receipt: dict[str, Any] = json.loads(row.body)
    return receipt


def everybody(**more: Scope) -> Principal:
    names = (
        "customers_read",
        "customers_update",
        "customers_delete",
        "personal_reveal",
        "interactions_create",
    )
    return user(**dict.fromkeys(names, Scope.ALL), **more)


def uses(app: CustomerApp, wang: UUID) -> dict[str, Callable[[], object]]:
    """Every way to one customer."""
    client = Client(app, everybody())
    call = Call(client.principal, "en", "", lambda kind, ids: None)
    timeline = timeline_rpc.ListTimelineRequest(customer_id=str(wang))
    relations = timeline_rpc.ListRelationsRequest(customer_id=str(wang))

    def update() -> None:
        with app.work(client.principal) as work:
            update_customer(work, wang, "", lambda profile: profile)

    def interact() -> None:
        with app.work(client.principal) as work:
            record_interaction(work, wang, InteractionDraft("visit", "", "words", None))

    asked = {"id": str(wang)}
    return {
        "get": lambda: client.get(str(wang)),
        "as of": lambda: client.get(str(wang), as_of=NOON),
        "view": lambda: client.ask("get_customer_view", rpc.GetCustomerViewRequest(**asked)),
        "versions": lambda: client.ask("list_versions", rpc.ListVersionsRequest(customer_id=str(wang))),
        "reveal": lambda: client.ask(
            "reveal_customer", rpc.RevealCustomerRequest(**asked, reason="他要求的")
        ),
        "delete": lambda: client.ask("delete_customer", rpc.DeleteCustomerRequest(**asked)),
        "timeline": lambda: TimelineServicer(app).list_timeline(timeline, call),
        "relations": lambda: TimelineServicer(app).list_relations(relations, call),
        "update": update,
        "interact": interact,
    }


@pytest.mark.parametrize(
    "use",
    ["get", "as of", "view", "versions", "reveal", "delete", "timeline", "relations", "update", "interact"],
)
def test_whoever_rests_is_refused_with_the_reason(app: CustomerApp, use: str) -> None:
    wang = known(app, WANG)
    restrict(app, wang)
    with pytest.raises(SubjectRestricted):
        uses(app, wang)[use]()


def test_out_of_scope_nothing_is_said_of_who_rests(app: CustomerApp) -> None:
    wang = known(app, WANG)
    restrict(app, wang)
    with pytest.raises(CustomerNotFound):
        Client(app, user(customers_read=Scope.OWN)).get(str(wang))


def test_whoever_rests_is_in_no_list_count_search_group_or_check(app: CustomerApp) -> None:
    wang, group_id = known(app, WANG), group(app, 'kind == "person"')
    settle(app)
    assert members(app, group_id) == {wang}
    restrict(app, wang)
    settle(app)
    client = Client(app, everybody())
    assert members(app, group_id) == set()
    assert client.ask("list_customers", rpc.ListCustomersRequest()).customers == []
    assert client.ask("count_customers", rpc.CountCustomersRequest()).customers == 0
    with app.work(EVERYBODY) as work:
        assert check_duplicates(work, Profile(WANG)) == []


def test_a_page_of_ones_own_is_full_though_some_rest(app: CustomerApp) -> None:
    mine = user(customers_read=Scope.OWN, customers_create=Scope.OWN)
    ids = [known(app, Person(f"王{name}"), mine) for name in "甲乙丙丁"]
    restrict(app, ids[3], ids[2])
    question = finding.listing("", "", False)
    rows, following = finding.page(app.reader, mine, question, None, 1)
    assert [row.id for row in rows] == [ids[1]]
    rows, following = finding.page(app.reader, mine, question, following, 1)
    assert ([row.id for row in rows], following) == ([ids[0]], None)


def test_the_officer_sees_who_rests(app: CustomerApp) -> None:
    wang = known(app, WANG)
    restrict(app, wang)
    assert Client(app, OFFICER).get(str(wang)).person.full_name == "王小明"


def test_what_rests_may_be_used_again_and_older_news_do_not_count(app: CustomerApp) -> None:
    wang = known(app, WANG)
    restrict(app, wang, version=1)
    restrict(app, wang, restricted=False, version=3)
    restrict(app, wang, version=2)
    assert Client(app, everybody()).get(str(wang)).id == str(wang)


def test_no_address_is_told_of_who_rests(app: CustomerApp) -> None:
    wang = known(app, WANG)
    restrict(app, wang)
    with app.work(ITSELF) as work:
        request = contact_rpc.GetContactsRequest(customer_ids=[str(wang)], purpose="test")
        [told] = (
            ContactServicer(app)
            .get_contacts(request, Call(ITSELF, "en", "", lambda kind, ids: None, work))
            .contacts
        )
    assert told == contact_rpc.Contact(customer_id=str(wang), survivor_id=str(wang), restricted=True)


@pytest.fixture
def erased(app: CustomerApp) -> tuple[UUID, UUID, dict[str, Any]]:
    """Somebody merged of two, with words, an order and a ticket; and the receipt of their erasure."""
    wang = known(app, WANG, external_ids=(ExternalId("erp", "7"),), tags=("口味清淡",), city="上海")
    twin = known(app, Person("王小明", emails=("wang@example.com",)))
    order(app, twin, NOON.date(), 120_000)
    ask(app, twin)
    with app.work(everybody()) as work:
        record_interaction(work, wang, InteractionDraft("visit", "", "他说很好", None))
    with app.work(EVERYBODY) as work:
        merge_customers(work, wang, [twin])
    settle(app)
    restrict(app, wang, twin)
    return wang, twin, erase(app, wang, twin)


def test_rows_and_keys_of_all_merged_are_gone_and_counted(
    app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]
) -> None:
    wang, twin, receipt = erased
    counts = {entry["table"]: entry.get("rows", 0) for entry in receipt["data"]["counts"]}
    assert counts["match_keys"] > 2
    del counts["match_keys"]
    assert counts == {
        "customers": 2, "external_ids": 1, "customer_versions": 4, "interactions": 1, "tickets": 1,
        "relations": 0, "duplicate_pairs": 0, "import_rows": 0, "answers": 0, "keys": 2,
    }  # fmt: skip
    for table in ("match_keys", "external_ids", "customer_versions", "interactions", "tickets"):
        assert app.reader.rows(f"select from {table} where customer_id = any(%s)", ([wang, twin],)) == []
    app.keyring.poll_version()
    assert app.keyring.keys({wang, twin}, "operational") == {}


def test_what_stays_are_facts_about_nobody(
    app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]
) -> None:
    wang, _, _ = erased
    row = app.reader.row(
        "select sealed, name_tokens, match_keys, tags, city, composed_tags, composed_city, deleted_at is null"
        " from customers where id = %s",
        (wang,),
    )
    assert row == (None, [], [], [], "", None, None, False)
    counted = Client(app, everybody()).ask("count_classes", rpc.CountClassesRequest(scheme="spend_tier"))
    assert [(one.customers, getattr(one, "class")) for one in counted.counts] == [(1, "core")]


def test_nobody_finds_who_was_erased(app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]) -> None:
    wang, _, _ = erased
    for principal in (everybody(), OFFICER):
        with pytest.raises(CustomerNotFound):
            Client(app, principal).get(str(wang))
    with pytest.raises(CustomerNotFound):
        Client(app, everybody()).ask("undelete_customer", rpc.UndeleteCustomerRequest(id=str(wang)))


def test_erasing_again_finds_nothing(app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]) -> None:
    wang, twin, _ = erased
    again = erase(app, wang, twin, attempt=2)
    assert {entry.get("rows", 0) for entry in again["data"]["counts"]} == {0}


def test_others_are_told_that_they_are_gone_without_a_word_about_them(
    app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]
) -> None:
    wang, twin, _ = erased
    row = app.reader.row(
        "select body from outbox where type = 'crm.customer.v1.CustomersRecorded' order by seq desc limit 1"
    )
    assert row is not None
    told = json.loads(row.body)["data"]["customers"]
    assert {item["customerId"]: item["deleted"] for item in told} == {str(wang): True, str(twin): True}
    assert "上海" not in row.body


def test_the_receipt_is_what_the_examples_promise(
    app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]
) -> None:
    for promise in promised("crm.customer.v1.SubjectErased"):
        same_shape(erased[2], promise)


def test_others_stay(app: CustomerApp, erased: tuple[UUID, UUID, dict[str, Any]]) -> None:
    other = known(app, Person("李雷", phones=WANG.phones))
    assert Client(app, everybody()).get(str(other)).person.full_name == "李雷"
    assert list_pairs(app.reader, EVERYBODY, "", None, 10) == []
