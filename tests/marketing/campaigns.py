"""Campaigns for tests, and what stands in the store of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from marketing.domain.campaign import Campaign, Channel, Draft
from marketing.domain.content import Content
from marketing.domain.messages import Message
from marketing.usecases.send_messages import write_down
from marketing.usecases.write_campaigns import create_campaign, start_campaign
from marketing.wiring import MarketingApp

SERVICE = Principal.service("marketing")
MARKETER = Principal(
    PrincipalKind.USER,
    str(new_id()),
    {
        f"marketing.{right}": Scope.ALL
        for right in ("campaigns.read", "campaigns.write", "campaigns.send", "caps.manage")
    },
)
CONTENT = Content("致 {{full_name}}", "您好 {{full_name}}，请看 https://shop.example/new 。")


def draft(**changed: Any) -> Draft:
    wanted: dict[str, Any] = {
        "title": "六月新品",
        "group_id": new_id(),
        "purpose": "newsletter",
        "channel": Channel.EMAIL,
        "content": CONTENT,
    }
    return Draft(**{**wanted, **changed})


def started(app: MarketingApp, **changed: Any) -> Campaign:
    """A campaign that was started."""
    with app.work(SERVICE) as work:
        campaign = create_campaign(work, draft(**changed))
        return start_campaign(work, campaign.id, None)


def sending(app: MarketingApp, customers: list[UUID]) -> Campaign:
    """A campaign whose whole audience is written down."""
    campaign = started(app)
    with app.work(SERVICE) as work:
        return write_down(work, campaign.id, customers, "")


def messages(app: MarketingApp, campaign: Campaign) -> dict[UUID, Message]:
    """Those of a campaign, by customer."""
    ids = [row.id for row in app.reader.rows("select id from messages where campaign_id = %s", [campaign.id])]
    with app.work(SERVICE) as work:
        return {message.customer_id: message for message in work.messages.lend(ids)}


def states(app: MarketingApp, campaign: Campaign) -> Counter[str]:
    """How many messages are in which state, with the reason where there is one: "skipped NO_CONSENT"."""
    return Counter(f"{one.state.value} {one.reason}".strip() for one in messages(app, campaign).values())


def told(app: MarketingApp, event: str) -> list[dict[str, Any]]:
    """What was said in events of a type, in order."""
    rows = app.reader.rows(
        "select body from outbox where type = %s order by seq", [f"crm.marketing.v1.{event}"]
    )
    return [json.loads(row.body)["data"] for row in rows]
