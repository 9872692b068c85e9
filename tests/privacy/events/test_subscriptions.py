"""What the privacy service hears, fed with the examples that the producers promised."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from kernel.bus.envelope import parse
from kernel.pure.grants import Principal
from privacy.events.subscriptions import PrivacyEvents
from privacy.wiring import PrivacyApp
from tests.contracts.examples import example

HANDLERS: dict[type[Message], Any] = {
    UsersRecorded: PrivacyEvents.follow_users,
    TeamsRecorded: PrivacyEvents.follow_teams,
}


def hear(app: PrivacyApp, event_class: type[Message], **changed: Any) -> None:
    """The promised event reaches its handler, with some fields of its first item changed."""
    body = example("privacy", event_class.DESCRIPTOR.full_name)
    [items] = body["data"].values()
    items[0] |= changed
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(Principal.service("privacy")) as work:
        HANDLERS[event_class](PrivacyEvents(), work, event, envelope)


def test_users_and_teams_are_known(app: PrivacyApp) -> None:
    hear(app, UsersRecorded)
    hear(app, TeamsRecorded)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]
