"""What the privacy service hears, fed with the examples that the producers promised."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.customer.v1.events_pb2 import CustomersMerged, CustomersRecorded
from crm.customer.v1.events_pb2 import SubjectErased as ErasedByCustomer
from crm.event.v1.events_pb2 import AuditSealed
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.marketing.v1 import events_pb2 as marketing
from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectErased, SubjectsRestricted
from crm.sales.v1.events_pb2 import SubjectErased as ErasedBySales
from crm.ticketing.v1.events_pb2 import SubjectErased as ErasedByTicketing
from kernel.bus.envelope import parse
from kernel.pure.audit_chain import AuditEntry, chained
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.sql import subjects
from privacy.domain.errors import AuditBatchBroken
from privacy.domain.purposes import Basis, Purpose
from privacy.events.subscriptions import PrivacyEvents
from privacy.usecases.ports import PersonRow
from privacy.usecases.register_purposes import register_purpose
from privacy.wiring import PrivacyApp
from tests.contracts.examples import example

HANDLERS: dict[type[Message], Any] = {
    UsersRecorded: PrivacyEvents.follow_users,
    TeamsRecorded: PrivacyEvents.follow_teams,
    CustomersRecorded: PrivacyEvents.follow_persons,
    CustomersMerged: PrivacyEvents.follow_links,
    AuditSealed: PrivacyEvents.keep_audit,
    SubjectsRestricted: PrivacyEvents.follow_restrictions,
    ErasureOrdered: PrivacyEvents.erase_subjects,
    SubjectErased: PrivacyEvents.take_own_receipt,
    marketing.SubjectErased: PrivacyEvents.take_marketing_receipt,
    marketing.RecipientUnsubscribed: PrivacyEvents.withdraw_unsubscribed,
    ErasedByCustomer: PrivacyEvents.take_receipt_of_customer,
    ErasedBySales: PrivacyEvents.take_receipt_of_sales,
    ErasedByTicketing: PrivacyEvents.take_receipt_of_ticketing,
}


def hear(app: PrivacyApp, event_class: type[Message], body: dict[str, Any] | None = None) -> None:
    """The promised event, or another of its type, reaches its handler."""
    body = body or example("privacy", event_class.DESCRIPTOR.full_name)
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(Principal.service("privacy")) as work:
        HANDLERS[event_class](PrivacyEvents(), work, event, envelope)


@pytest.mark.parametrize(
    ("event_class", "field"),
    [
        (AuditSealed, "hash"),
        (AuditSealed, "previousHash"),
        (marketing.RecipientUnsubscribed, "channel"),
    ],
)
def test_a_value_that_is_none_is_for_the_dead_letters(
    app: PrivacyApp, event_class: type[Message], field: str
) -> None:
    body = example("privacy", event_class.DESCRIPTOR.full_name)
    with pytest.raises(Invalid) as refused:
        hear(app, event_class, {**body, "data": {**body["data"], field: "nothing"}})
    assert not refused.value.transient


def test_users_and_teams_are_known(app: PrivacyApp) -> None:
    hear(app, UsersRecorded)
    hear(app, TeamsRecorded)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]


def test_persons_are_known_and_companies_are_no_data_subjects(app: PrivacyApp) -> None:
    told = example("privacy", "crm.customer.v1.CustomersRecorded")["data"]["customers"]
    assert {one["kind"] for one in told} == {"person", "company"}
    hear(app, CustomersRecorded)
    hear(app, CustomersRecorded)
    known = app.reader.rows("select person_id::text, version from persons order by person_id")
    assert known == sorted((one["customerId"], one["version"]) for one in told if one["kind"] == "person")


def test_merged_persons_are_read_through_their_survivor(app: PrivacyApp) -> None:
    told = example("privacy", "crm.customer.v1.CustomersMerged")["data"]["links"]
    hear(app, CustomersMerged)
    known = app.reader.rows("select customer_id::text, survivor_id::text, version from links order by 1")
    assert known == sorted((one["absorbedId"], one.get("survivorId"), one["version"]) for one in told)


def test_restricted_persons_are_known(app: PrivacyApp) -> None:
    hear(app, SubjectsRestricted)
    told = example("privacy", "crm.privacy.v1.SubjectsRestricted")["data"]["subjects"]
    ids = [UUID(one["subjectId"]) for one in told]
    assert subjects.restricted(app.reader, ids) == set(ids)


def test_what_is_held_of_an_erased_person_goes_and_a_receipt_is_told(app: PrivacyApp) -> None:
    told = example("privacy", "crm.privacy.v1.ErasureOrdered")["data"]
    with app.work(Principal.service("privacy")) as work:
        work.persons.apply([PersonRow(UUID(one), 1, None) for one in told["subjectIds"]])
    hear(app, ErasureOrdered)
    assert not app.reader.rows("select 1 from persons")
    [receipt] = app.reader.rows("select body from outbox where type = 'crm.privacy.v1.SubjectErased'")
    said = json.loads(receipt.body)["data"]
    assert said["requestId"] == told["requestId"]
    assert {"table": "persons", "rows": len(told["subjectIds"])} in said["counts"]


@pytest.mark.parametrize(
    "receipt", [SubjectErased, marketing.SubjectErased, ErasedByCustomer, ErasedBySales, ErasedByTicketing]
)
def test_a_receipt_of_an_unknown_request_changes_nothing(app: PrivacyApp, receipt: type[Message]) -> None:
    hear(app, receipt)
    assert not app.reader.rows("select 1 from erasure_log")


def test_who_unsubscribes_has_withdrawn_with_the_message_as_proof(app: PrivacyApp) -> None:
    """A purpose of the example's name, and the person known."""
    told = example("privacy", "crm.marketing.v1.RecipientUnsubscribed")["data"]
    with app.work(Principal.service("privacy")) as work:
        work.persons.apply([PersonRow(UUID(told["customerId"]), 1, None)])
        register_purpose(work, Purpose(told["purpose"], "新品邮件", "News by mail", Basis.CONSENT))
    hear(app, marketing.RecipientUnsubscribed)
    [row] = app.reader.rows("select purpose_id, channel, state, proof from consent_events")
    assert (row.purpose_id, row.channel, row.state) == (told["purpose"], "email", "withdrawn")
    assert told["messageId"] in str(row.proof)


def sealed() -> dict[str, Any]:
    return example("privacy", "crm.event.v1.AuditSealed")


def test_audit_rows_are_kept_with_their_chain_once(app: PrivacyApp) -> None:
    hear(app, AuditSealed)
    hear(app, AuditSealed)
    rows = app.reader.rows("select service, position, action, facts, hash from sealed_entries")
    promise = sealed()["data"]
    assert rows == [("customer", 1, "update", promise["entries"][0]["facts"], bytes.fromhex(promise["hash"]))]
    assert app.reader.rows("select service, position from sealed_checkpoints") == [("customer", 1)]


def _altered_row(data: dict[str, Any]) -> None:
    data["entries"][0]["actorId"] = "nobody"


def _altered_checkpoint(data: dict[str, Any]) -> None:
    data["checkpoint"]["signature"] = "00" * 64


def _checkpoint_of_another_place(data: dict[str, Any]) -> None:
    data["checkpoint"]["position"] = "2"


@pytest.mark.parametrize("alter", [_altered_row, _altered_checkpoint, _checkpoint_of_another_place])
def test_a_batch_that_is_not_what_it_says_is_not_kept(app: PrivacyApp, alter: Any) -> None:
    body = sealed()
    alter(body["data"])
    with pytest.raises(AuditBatchBroken):
        hear(app, AuditSealed, body)
    assert not app.reader.rows("select 1 from sealed_entries")


def test_history_is_not_told_twice_in_two_ways(app: PrivacyApp) -> None:
    """A chain that begins again, with true hashes and other rows, is refused where it differs."""
    hear(app, AuditSealed)
    body = sealed()
    del body["data"]["checkpoint"]
    body["data"]["previousHash"] = "11" * 32
    with pytest.raises(AuditBatchBroken):
        hear(app, AuditSealed, _rehashed(body))


def _rehashed(body: dict[str, Any]) -> dict[str, Any]:
    data = body["data"]
    [told] = data["entries"]
    names = {"actorKind": "actor_kind", "actorId": "actor_id", "objectType": "object_type"}
    names |= {"objectId": "object_id", "traceId": "trace_id"}
    entry = AuditEntry(**{names.get(name, name): value for name, value in told.items()})
    data["hash"] = chained(bytes.fromhex(data["previousHash"]), entry).hex()
    return body
