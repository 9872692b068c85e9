"""What the ticketing service hears, fed with the examples that the producers promised."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from crm.customer.v1.events_pb2 import CustomersClassified, CustomersMerged, CustomersRecorded
from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from kernel.bus.envelope import parse
from kernel.pure.grants import Principal
from tests.contracts.examples import example
from ticketing.events.subscriptions import TicketingEvents
from ticketing.wiring import TicketingApp

HANDLERS: dict[type[Message], Any] = {
    CustomersRecorded: TicketingEvents.follow_customers,
    CustomersClassified: TicketingEvents.follow_classes,
    CustomersMerged: TicketingEvents.follow_links,
    UsersRecorded: TicketingEvents.follow_users,
    TeamsRecorded: TicketingEvents.follow_teams,
}


def hear(app: TicketingApp, event_class: type[Message], **changed: Any) -> None:
    """The promised event reaches its handler, with some fields of its first item changed."""
    body = example("ticketing", event_class.DESCRIPTOR.full_name)
    [items] = body["data"].values()
    items[0] |= changed
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(Principal.service("ticketing")) as work:
        HANDLERS[event_class](TicketingEvents(), work, event, envelope)


def test_users_and_teams_are_known(app: TicketingApp) -> None:
    hear(app, UsersRecorded)
    hear(app, TeamsRecorded)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]


FIRST = UUID("01980a5e-7c00-7301-8000-000000000301")


def test_classes_of_a_customer_are_what_rules_are_asked_about(app: TicketingApp) -> None:
    hear(app, CustomersClassified)
    with app.work(Principal.service("ticketing")) as work:
        assert dict(work.customers.standing(FIRST).classes) == {"spend_tier": "minor"}
    hear(app, CustomersClassified, version=2, **{"class": "core"})
    hear(app, CustomersClassified, version=1, **{"class": "basic"})
    with app.work(Principal.service("ticketing")) as work:
        assert dict(work.customers.standing(FIRST).classes) == {"spend_tier": "core"}


def test_merged_customers_are_read_through_their_survivor(app: TicketingApp) -> None:
    hear(app, CustomersRecorded, customerId=str(FIRST))
    hear(app, CustomersMerged)
    hear(app, CustomersClassified)
    absorbed = UUID("01980a5e-7c00-7302-8000-000000000302")
    with app.work(Principal.service("ticketing")) as work:
        assert work.customers.survivor(absorbed) == FIRST
        assert set(work.customers.group(absorbed)) == {FIRST, absorbed}
        assert dict(work.customers.standing(absorbed).classes) == {"spend_tier": "minor"}


def test_nobody_is_known_who_was_deleted(app: TicketingApp) -> None:
    hear(app, CustomersRecorded, customerId=str(FIRST), deleted=True)
    with app.work(Principal.service("ticketing")) as work:
        assert work.customers.survivor(FIRST) is None
