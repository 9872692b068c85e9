"""crm.marketing.v1.TrackingService: what recipients do, and what anybody else can't."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from google.api.httpbody_pb2 import HttpBody

from crm.marketing.v1 import tracking_service_pb2 as rpc
from kernel.pure.ids import new_id
from marketing.domain.campaign import Campaign
from marketing.domain.messages import Message, State
from marketing.domain.tokens import Use
from marketing.usecases.send_messages import Outcome, claim, settle
from marketing.wiring import MarketingApp
from tests.marketing.campaigns import SERVICE, messages, sending, told
from tests.support.api import Api, Refused

REQUESTS: dict[str, type[Any]] = {
    "GetPixel": rpc.GetPixelRequest,
    "GetLink": rpc.GetLinkRequest,
    "GetUnsubscribePage": rpc.GetUnsubscribePageRequest,
    "Unsubscribe": rpc.UnsubscribeRequest,
}


def follow(api: Api, name: str, token: str) -> HttpBody:
    answer: HttpBody = api.call(f"crm.marketing.v1.TrackingService/{name}", REQUESTS[name](token=token), None)
    return answer


@pytest.fixture
def campaign(app: MarketingApp) -> Campaign:
    """Two recipients; the first one's message was sent."""
    campaign = sending(app, [new_id(), new_id()])
    first = min(messages(app, campaign).values(), key=lambda message: message.id)
    with app.work(SERVICE) as work:
        assert claim(work, campaign, first.id, "consent 1", "p1@example.com")
        settle(work, campaign, Outcome(first.id, State.SENT))
    return campaign


def of(app: MarketingApp, campaign: Campaign, state: State) -> Message:
    [message] = [one for one in messages(app, campaign).values() if one.state is state]
    return message


def token(app: MarketingApp, use: Use, message_id: UUID, link: int = 0) -> str:
    return app.tokens.seal(use, message_id, link)


def test_the_pixel_shows_that_it_was_opened(api: Api, app: MarketingApp, campaign: Campaign) -> None:
    sent = of(app, campaign, State.SENT)
    picture = follow(api, "GetPixel", token(app, Use.OPEN, sent.id))
    assert picture.content_type == "image/gif"
    assert picture.data.startswith(b"GIF89a")
    assert of(app, campaign, State.SENT).opened_at is not None
    [item] = told(app, "MessagesChanged")[-1]["messages"]
    assert "openedAt" in item


def test_opened_again_is_no_news(api: Api, app: MarketingApp, campaign: Campaign) -> None:
    sent = of(app, campaign, State.SENT)
    for _ in range(3):
        follow(api, "GetPixel", token(app, Use.OPEN, sent.id))
    assert of(app, campaign, State.SENT).version == sent.version + 1


def test_a_link_leads_to_the_address_of_the_message_only(
    api: Api, app: MarketingApp, campaign: Campaign
) -> None:
    sent = of(app, campaign, State.SENT)
    page = follow(api, "GetLink", token(app, Use.CLICK, sent.id))
    assert b'url=https://shop.example/new"' in page.data
    assert of(app, campaign, State.SENT).clicked_at is not None
    with pytest.raises(Refused) as refused:
        follow(api, "GetLink", token(app, Use.CLICK, sent.id, 1))
    assert refused.value.reason == "TRACKING_LINK_NOT_FOUND"


def test_looking_at_the_page_unsubscribes_nobody(api: Api, app: MarketingApp, campaign: Campaign) -> None:
    sent = of(app, campaign, State.SENT)
    page = follow(api, "GetUnsubscribePage", token(app, Use.UNSUBSCRIBE, sent.id))
    assert b'<form method="post">' in page.data
    assert of(app, campaign, State.SENT).unsubscribed_at is None


def test_one_click_withdraws_and_is_told_once(api: Api, app: MarketingApp, campaign: Campaign) -> None:
    sent = of(app, campaign, State.SENT)
    for _ in range(2):
        follow(api, "Unsubscribe", token(app, Use.UNSUBSCRIBE, sent.id))
    assert of(app, campaign, State.SENT).unsubscribed_at is not None
    [said] = told(app, "RecipientUnsubscribed")
    assert (said["customerId"], said["purpose"], said["channel"], said["messageId"]) == (
        str(sent.customer_id),
        "newsletter",
        "email",
        str(sent.id),
    )


def test_unsubscribed_they_get_nothing_that_waits(api: Api, app: MarketingApp, campaign: Campaign) -> None:
    sent = of(app, campaign, State.SENT)
    other = sending(app, [sent.customer_id])
    follow(api, "Unsubscribe", token(app, Use.UNSUBSCRIBE, sent.id))
    assert of(app, other, State.SKIPPED).reason == "UNSUBSCRIBED"


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_that_was_never_given_out_leads_nowhere(
    api: Api, app: MarketingApp, campaign: Campaign, name: str
) -> None:
    waiting = of(app, campaign, State.WAITING)
    tried = ["", "x", "A" * 42, *(token(app, use, new_id()) for use in Use), token(app, Use.OPEN, waiting.id)]
    for wrong in tried[:3] if name == "GetUnsubscribePage" else tried:
        with pytest.raises(Refused) as refused:
            follow(api, name, wrong)
        assert refused.value.reason == "TRACKING_LINK_NOT_FOUND"
