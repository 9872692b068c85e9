"""A campaign's way from draft to end (M-02)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from marketing.domain.campaign import Campaign, Channel, Draft, Status, check_draft
from marketing.domain.content import Content
from marketing.domain.errors import CampaignMoved

NOW = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
CONTENT = Content("新品推荐", "您好 {{full_name}}，请看 https://shop.example/new")
DRAFT = Draft("六月新品", UUID(int=7), "newsletter", Channel.EMAIL, CONTENT)
CAMPAIGN = Campaign(
    id=UUID(int=1),
    version=1,
    title=DRAFT.title,
    group_id=DRAFT.group_id,
    purpose=DRAFT.purpose,
    channel=Channel.EMAIL,
    content=CONTENT,
    created_at=NOW,
)
SENDING = CAMPAIGN.start(NOW).prepared(None)


def test_it_prepares_then_sends_then_finishes() -> None:
    started = CAMPAIGN.start(NOW)
    assert (started.status, started.started_at) == (Status.PREPARING, NOW)
    assert started.prepared("page 2").status is Status.PREPARING
    assert started.prepared(None).status is Status.SENDING
    assert SENDING.finish(NOW).status is Status.FINISHED


def test_resumed_it_goes_on_where_it_was_paused() -> None:
    assert SENDING.pause().resume().status is Status.SENDING
    preparing = CAMPAIGN.start(NOW).prepared("page 2").pause().resume()
    assert (preparing.status, preparing.audience_after) == (Status.PREPARING, "page 2")


@pytest.mark.parametrize(
    "wish",
    [
        lambda c: c.start(NOW),
        Campaign.pause,
        Campaign.resume,
        lambda c: c.finish(NOW),
        lambda c: c.cancel(NOW),
    ],
)
def test_what_has_ended_stays_ended(wish: object) -> None:
    for ended in (SENDING.finish(NOW), SENDING.cancel(NOW)):
        with pytest.raises(CampaignMoved):
            wish(ended)  # type: ignore[operator]


def test_only_a_draft_is_written_anew() -> None:
    other = Draft("七月", UUID(int=8), "newsletter", Channel.EMAIL, CONTENT)
    assert (CAMPAIGN.written(other).title, CAMPAIGN.written(other).group_id) == ("七月", UUID(int=8))
    with pytest.raises(CampaignMoved):
        SENDING.written(other)


def test_waiting_for_the_same_again_is_no_change() -> None:
    waiting = SENDING.held_up("PRIVACY_UNAVAILABLE")
    assert waiting.held_up("PRIVACY_UNAVAILABLE") is waiting
    assert waiting.held_up("").waits_for == ""


def test_a_wrong_draft_names_every_field() -> None:
    wrong = Draft(" ", UUID(int=7), "", None, Content("a\nb", "{{phone}}"))
    with pytest.raises(Invalid) as refused:
        check_draft(wrong)
    assert [(one.field, one.rule) for one in refused.value.violations] == [
        ("campaign.title", "LENGTH"),
        ("campaign.purpose", "REQUIRED"),
        ("campaign.channel", "REQUIRED"),
        ("campaign.content.body", "UNKNOWN_FACT"),
        ("campaign.content.subject", "ONE_LINE"),
    ]


WISHES = {
    "start": lambda campaign: campaign.start(NOW),
    "pause": Campaign.pause,
    "resume": Campaign.resume,
    "cancel": lambda campaign: campaign.cancel(NOW),
    "finish": lambda campaign: campaign.finish(NOW),
    "page": lambda campaign: campaign.prepared("more") if campaign.status is Status.PREPARING else campaign,
    "last": lambda campaign: campaign.prepared(None) if campaign.status is Status.PREPARING else campaign,
}


@given(st.lists(st.sampled_from(sorted(WISHES)), max_size=12))
def test_whatever_is_wished_the_version_grows_with_each_change_and_by_one(wishes: list[str]) -> None:
    campaign = CAMPAIGN
    for wish in wishes:
        before = campaign
        try:
            campaign = WISHES[wish](campaign)
        except CampaignMoved:
            continue
        assert campaign.version == before.version + (campaign is not before)
        # It sends only when its whole audience has been written down.
        assert campaign.status is not Status.SENDING or campaign.audience_after is None
