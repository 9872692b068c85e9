"""What the sales service hears, fed with the examples that the producers promised."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.customer.v1.events_pb2 import CustomersMerged, CustomersRecorded
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.marketing.v1.events_pb2 import MessagesChanged
from kernel.bus.envelope import parse
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from sales.events.subscriptions import SalesEvents
from sales.wiring import SalesApp
from tests.contracts.examples import example

SERVICE = Principal.service("sales")
HANDLERS: dict[type[Message], Any] = {
    CustomersRecorded: SalesEvents.follow_customers,
    CustomersMerged: SalesEvents.follow_links,
    UsersRecorded: SalesEvents.follow_users,
    TeamsRecorded: SalesEvents.follow_teams,
    MessagesChanged: SalesEvents.follow_messages,
}


def hear(app: SalesApp, event_class: type[Message], **changed: Any) -> None:
    """The promised event reaches its handler, with some fields of its first item changed."""
    body = example("sales", event_class.DESCRIPTOR.full_name)
    [items] = body["data"].values()
    items[0] |= changed
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(SERVICE) as work:
        HANDLERS[event_class](SalesEvents(), work, event, envelope)


def test_customers_and_their_owners_are_known(app: SalesApp) -> None:
    hear(app, CustomersRecorded)
    rows = app.reader.rows(
        "select customer_id, version, owner_id, collaborator_ids, deleted from customers order by version"
    )
    owner, helper = (UUID(f"01980a5e-7c00-710{n}-8000-00000000010{n}") for n in (1, 2))
    assert rows == [
        (UUID("01980a5e-7c00-7301-8000-000000000301"), 1, owner, [helper], False),
        (UUID("01980a5e-7c00-7302-8000-000000000302"), 5, owner, [], True),
    ]


def test_a_customer_may_lose_its_owner(app: SalesApp) -> None:
    hear(app, CustomersRecorded)
    hear(app, CustomersRecorded, version=2, ownerId="")
    row = app.reader.row("select owner_id from customers where version = 2")
    assert row == (None,)


def test_an_older_state_of_a_customer_changes_nothing(app: SalesApp) -> None:
    hear(app, CustomersRecorded, version=3)
    hear(app, CustomersRecorded, version=2, ownerId="")
    row = app.reader.row("select owner_id is not null from customers where version = 3")
    assert row == (True,)


def test_links_between_customers_are_known(app: SalesApp) -> None:
    hear(app, CustomersMerged)
    rows = app.reader.rows("select customer_id, survivor_id, version from links order by version")
    assert rows == [
        (
            UUID("01980a5e-7c00-7302-8000-000000000302"),
            UUID("01980a5e-7c00-7301-8000-000000000301"),
            1,
        ),
        (UUID("01980a5e-7c00-7303-8000-000000000303"), None, 2),
    ]


def test_what_a_customer_did_with_a_message_is_known_once(app: SalesApp) -> None:
    hear(app, MessagesChanged, version=4, clickedAt="")
    hear(app, MessagesChanged)
    hear(app, MessagesChanged, version=3, openedAt="", clickedAt="")
    hear(app, MessagesChanged, channel="sms", messageId="01980a5e-7c00-7902-8000-000000000999")
    rows = app.reader.rows("select * from customer_facts order by kind")
    customer, message = UUID("01980a5e-7c00-7301-8000-000000000301"), "01980a5e-7c00-7902-8000-000000000902"
    opened, clicked = datetime(2026, 3, 2, 1, 29, 30, tzinfo=UTC), datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert rows == [
        (customer, "clicked_mail", message, 1, clicked),
        (customer, "opened_mail", message, 1, opened),
    ]


def test_users_and_teams_are_known(app: SalesApp) -> None:
    hear(app, UsersRecorded)
    hear(app, TeamsRecorded)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]


@pytest.mark.parametrize(
    ("event_class", "field"),
    [
        (CustomersRecorded, "customerId"),
        (CustomersMerged, "absorbedId"),
        (CustomersMerged, "survivorId"),
        (UsersRecorded, "userId"),
        (TeamsRecorded, "teamId"),
        (MessagesChanged, "messageId"),
        (MessagesChanged, "openedAt"),
        (MessagesChanged, "clickedAt"),
    ],
)
def test_a_value_that_is_none_is_for_the_dead_letters(
    app: SalesApp, event_class: type[Message], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        hear(app, event_class, **{field: "7"})
    assert not refused.value.transient
