"""What the marketing service tells, held to the examples that the other side's tests read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kernel.pure.erasure import ErasedRows
from kernel.pure.ids import new_id
from marketing.domain.events import SubjectErased
from marketing.domain.messages import State
from marketing.usecases.note_engagement import note_clicked, unsubscribe
from marketing.usecases.send_messages import Outcome, claim, settle
from marketing.wiring import MarketingApp
from tests.contracts.examples import promised, same_shape
from tests.marketing.campaigns import SERVICE, messages, sending


@pytest.fixture
def said(app: MarketingApp) -> dict[str, dict[str, Any]]:
    """The newest envelope of each event, after a message was sent, clicked and answered by unsubscribing."""
    campaign = sending(app, [new_id()])
    [message] = messages(app, campaign).values()
    with app.work(SERVICE) as work:
        claim(work, campaign, message.id, "consent 1", "p1@example.com")
        settle(work, campaign, Outcome(message.id, State.SENT))
        note_clicked(work, message.id)
        unsubscribe(work, message.id)
        work.record(SubjectErased(new_id(), 1, (ErasedRows("messages", 1),), ()))
    rows = app.reader.rows("select type, body from outbox order by seq")
    return {row.type: json.loads(row.body) for row in rows}


@pytest.mark.parametrize(
    "event", ["CampaignsChanged", "MessagesChanged", "RecipientUnsubscribed", "SubjectErased"]
)
def test_events_are_told_as_promised(said: dict[str, dict[str, Any]], event: str) -> None:
    name = f"crm.marketing.v1.{event}"
    promises = promised(name)
    assert promises
    for promise in promises:
        same_shape(said[name], promise)
