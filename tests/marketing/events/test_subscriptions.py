"""What the marketing service hears, fed with the examples that the producers promised."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from crm.customer.v1.events_pb2 import CustomersMerged
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.privacy.v1.events_pb2 import ConsentsChanged, ErasureOrdered, SubjectsRestricted
from kernel.bus.envelope import parse
from kernel.sql import subjects
from marketing.events.subscriptions import MarketingEvents
from marketing.wiring import MarketingApp
from tests.contracts.examples import example
from tests.marketing.campaigns import SERVICE, sending, states, told

HANDLERS: dict[type[Message], Any] = {
    UsersRecorded: MarketingEvents.follow_users,
    TeamsRecorded: MarketingEvents.follow_teams,
    ConsentsChanged: MarketingEvents.follow_consents,
    SubjectsRestricted: MarketingEvents.follow_restrictions,
    ErasureOrdered: MarketingEvents.erase_subjects,
    CustomersMerged: MarketingEvents.follow_links,
}


def hear(app: MarketingApp, body: dict[str, Any], event_class: type[Message]) -> None:
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(SERVICE) as work:
        HANDLERS[event_class](MarketingEvents(), work, event, envelope)


def promised_to_us(event_class: type[Message]) -> dict[str, Any]:
    return example("marketing", event_class.DESCRIPTOR.full_name)


def test_users_and_teams_are_known(app: MarketingApp) -> None:
    for event_class in (UsersRecorded, TeamsRecorded):
        hear(app, promised_to_us(event_class), event_class)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]


def test_a_withdrawal_skips_what_waits_for_that_purpose(app: MarketingApp) -> None:
    body = promised_to_us(ConsentsChanged)
    item = body["data"]["consents"][0] | {"purpose": "newsletter", "channel": "email", "state": "withdrawn"}
    campaign = sending(app, [UUID(item["subjectId"])])
    hear(app, body | {"data": {"consents": [item | {"purpose": "other"}]}}, ConsentsChanged)
    assert states(app, campaign) == {"waiting": 1}
    hear(app, body | {"data": {"consents": [item]}}, ConsentsChanged)
    assert states(app, campaign) == {"skipped CONSENT_WITHDRAWN": 1}


def test_a_consent_that_is_given_changes_nothing_here(app: MarketingApp) -> None:
    body = promised_to_us(ConsentsChanged)
    item = body["data"]["consents"][0] | {"purpose": "newsletter", "channel": "email", "state": "granted"}
    campaign = sending(app, [UUID(item["subjectId"])])
    hear(app, body | {"data": {"consents": [item]}}, ConsentsChanged)
    assert states(app, campaign) == {"waiting": 1}


def test_merged_customers_are_one_human(app: MarketingApp) -> None:
    body = promised_to_us(CustomersMerged)
    hear(app, body, CustomersMerged)
    first, second = body["data"]["links"]
    with app.work(SERVICE) as work:
        human = work.links.one_with(UUID(first["survivorId"]))
        assert human == sorted([UUID(first["absorbedId"]), UUID(first["survivorId"])])
        assert work.links.one_with(UUID(first["absorbedId"])) == human
        assert work.links.one_with(UUID(second["absorbedId"])) == [UUID(second["absorbedId"])]


def test_restrictions_are_known(app: MarketingApp) -> None:
    body = promised_to_us(SubjectsRestricted)
    hear(app, body, SubjectsRestricted)
    told_of = {UUID(item["subjectId"]) for item in body["data"]["subjects"] if item.get("restricted")}
    with app.work(SERVICE) as work:
        assert subjects.restricted(work.reader, told_of) == told_of


def test_an_erasure_stops_what_waits_and_is_receipted(app: MarketingApp) -> None:
    body = promised_to_us(ErasureOrdered)
    campaign = sending(app, [UUID(text) for text in body["data"]["subjectIds"]])
    hear(app, body, ErasureOrdered)
    hear(app, body, ErasureOrdered)
    assert set(states(app, campaign)) == {"skipped ERASED"}
    receipts = told(app, "SubjectErased")
    counted = [
        sum(item.get("rows", 0) for item in receipt["counts"] if item["table"] == "messages")
        for receipt in receipts
    ]
    assert counted == [len(body["data"]["subjectIds"]), 0]
