"""crm.marketing.v1.CampaignService, called as the gateway calls it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.marketing.v1 import campaign_pb2 as pb
from crm.marketing.v1 import campaign_service_pb2 as rpc
from kernel.pure.ids import new_id
from marketing.wiring import MarketingApp
from tests.marketing.campaigns import MARKETER, sending
from tests.support.api import Api, Refused

GROUP = str(new_id())


def wire(**changed: Any) -> pb.Campaign:
    fields: dict[str, Any] = {
        "title": "六月新品",
        "group_id": GROUP,
        "purpose": "newsletter",
        "channel": pb.CHANNEL_EMAIL,
        "content": pb.Content(subject="新品", body="您好 {{full_name}}"),
    }
    return pb.Campaign(**{**fields, **changed})


def call(api: Api, name: str, request: Any) -> Any:
    return api.call(f"crm.marketing.v1.CampaignService/{name}", request, MARKETER)


def created(api: Api, **changed: Any) -> pb.Campaign:
    campaign: pb.Campaign = call(
        api, "CreateCampaign", rpc.CreateCampaignRequest(campaign=wire(**changed), request_id=str(new_id()))
    )
    return campaign


def test_a_campaign_comes_back_as_it_was_written(api: Api) -> None:
    campaign = created(api)
    held = call(api, "GetCampaign", rpc.GetCampaignRequest(id=campaign.id))
    assert held == campaign
    assert (held.title, held.group_id, held.content.body) == ("六月新品", GROUP, "您好 {{full_name}}")
    assert (held.status, held.counts.audience) == (pb.CAMPAIGN_STATUS_DRAFT, 0)


def test_a_wrong_campaign_names_every_field_and_is_not_kept(api: Api) -> None:
    wrong = wire(title="", channel=pb.CHANNEL_UNSPECIFIED, content=pb.Content(subject="a", body="{{phone}}"))
    with pytest.raises(Refused) as refused:
        call(api, "CreateCampaign", rpc.CreateCampaignRequest(campaign=wrong))
    assert refused.value.fields == [
        ("campaign.title", "LENGTH"),
        ("campaign.channel", "REQUIRED"),
        ("campaign.content.body", "UNKNOWN_FACT"),
    ]
    assert not call(api, "ListCampaigns", rpc.ListCampaignsRequest()).campaigns


def test_validated_only_it_is_not_kept(api: Api) -> None:
    call(api, "CreateCampaign", rpc.CreateCampaignRequest(campaign=wire(), validate_only=True))
    assert not call(api, "ListCampaigns", rpc.ListCampaignsRequest()).campaigns


def test_the_same_request_makes_one_campaign(api: Api) -> None:
    request = rpc.CreateCampaignRequest(campaign=wire(), request_id=str(new_id()))
    assert call(api, "CreateCampaign", request) == call(api, "CreateCampaign", request)
    assert len(call(api, "ListCampaigns", rpc.ListCampaignsRequest()).campaigns) == 1


def test_an_update_changes_what_its_mask_names(api: Api) -> None:
    campaign = created(api)
    wanted = pb.Campaign(id=campaign.id, title="七月", content=pb.Content(subject="新的主题"))
    mask = FieldMask(paths=["content.subject"])
    changed = call(api, "UpdateCampaign", rpc.UpdateCampaignRequest(campaign=wanted, update_mask=mask))
    assert (changed.title, changed.content.subject) == ("六月新品", "新的主题")
    assert changed.content.body == "您好 {{full_name}}"


def test_an_update_of_what_somebody_else_changed_is_refused(api: Api) -> None:
    campaign = created(api)
    first = pb.Campaign(id=campaign.id, etag=campaign.etag, title="一")
    call(api, "UpdateCampaign", rpc.UpdateCampaignRequest(campaign=first))
    with pytest.raises(Refused) as refused:
        call(api, "UpdateCampaign", rpc.UpdateCampaignRequest(campaign=first))
    assert (refused.value.code, refused.value.reason) == ("ABORTED", "STALE_ETAG")


def test_a_mask_names_only_what_can_be_set(api: Api) -> None:
    wanted = rpc.UpdateCampaignRequest(
        campaign=pb.Campaign(id=created(api).id), update_mask=FieldMask(paths=["status"])
    )
    with pytest.raises(Refused) as refused:
        call(api, "UpdateCampaign", wanted)
    assert refused.value.fields == [("update_mask.paths[0]", "UNKNOWN_FIELD")]


def test_started_it_is_not_written_any_more(api: Api) -> None:
    campaign = created(api)
    started = call(api, "StartCampaign", rpc.StartCampaignRequest(id=campaign.id, etag=campaign.etag))
    assert started.status == pb.CAMPAIGN_STATUS_PREPARING
    with pytest.raises(Refused) as refused:
        call(
            api, "UpdateCampaign", rpc.UpdateCampaignRequest(campaign=pb.Campaign(id=campaign.id, title="x"))
        )
    assert refused.value.reason == "CAMPAIGN_STATUS"


def test_it_can_be_paused_resumed_and_cancelled(api: Api) -> None:
    campaign = created(api)
    call(api, "StartCampaign", rpc.StartCampaignRequest(id=campaign.id))
    paused = call(api, "PauseCampaign", rpc.PauseCampaignRequest(id=campaign.id))
    resumed = call(api, "ResumeCampaign", rpc.ResumeCampaignRequest(id=campaign.id))
    ended = call(api, "CancelCampaign", rpc.CancelCampaignRequest(id=campaign.id))
    assert [one.status for one in (paused, resumed, ended)] == [
        pb.CAMPAIGN_STATUS_PAUSED,
        pb.CAMPAIGN_STATUS_PREPARING,
        pb.CAMPAIGN_STATUS_CANCELLED,
    ]


def test_campaigns_are_listed_page_by_page_newest_first(api: Api) -> None:
    made = [created(api).id for _ in range(5)]
    seen, token = [], ""
    while True:
        page = call(api, "ListCampaigns", rpc.ListCampaignsRequest(page_size=2, page_token=token))
        seen += [campaign.id for campaign in page.campaigns]
        if not (token := page.next_page_token):
            break
    assert seen == made[::-1]


def test_recipients_are_listed_by_state(api: Api, app: MarketingApp) -> None:
    people = [new_id() for _ in range(3)]
    campaign = sending(app, people)
    request = rpc.ListMessagesRequest(
        campaign_id=str(campaign.id), state=pb.MESSAGE_STATE_WAITING, page_size=2
    )
    first = call(api, "ListMessages", request)
    request.page_token = first.next_page_token
    second = call(api, "ListMessages", request)
    found = [UUID(one.customer_id) for one in (*first.messages, *second.messages)]
    assert sorted(found) == sorted(people)
    sent = rpc.ListMessagesRequest(campaign_id=str(campaign.id), state=pb.MESSAGE_STATE_SENT)
    assert not call(api, "ListMessages", sent).messages


def test_an_unknown_campaign_is_not_found(api: Api) -> None:
    for name, request in (
        ("GetCampaign", rpc.GetCampaignRequest(id=GROUP)),
        ("StartCampaign", rpc.StartCampaignRequest(id=GROUP)),
        ("ListMessages", rpc.ListMessagesRequest(campaign_id=GROUP)),
    ):
        with pytest.raises(Refused) as refused:
            call(api, name, request)
        assert refused.value.reason == "CAMPAIGN_NOT_FOUND"


def test_a_cap_that_was_changed_is_shown(api: Api) -> None:
    [preset] = call(api, "ListFrequencyCaps", rpc.ListFrequencyCapsRequest()).caps
    assert (preset.messages, preset.days, preset.version) == (4, 7, 1)
    wanted = pb.FrequencyCap(channel=pb.CHANNEL_EMAIL, messages=2, days=30)
    call(api, "UpdateFrequencyCap", rpc.UpdateFrequencyCapRequest(cap=wanted))
    [held] = call(api, "ListFrequencyCaps", rpc.ListFrequencyCapsRequest()).caps
    assert (held.messages, held.days, held.version) == (2, 30, 2)


def test_a_wrong_cap_names_every_field(api: Api) -> None:
    wrong = pb.FrequencyCap(messages=101)
    with pytest.raises(Refused) as refused:
        call(api, "UpdateFrequencyCap", rpc.UpdateFrequencyCapRequest(cap=wrong))
    assert refused.value.fields == [
        ("cap.channel", "REQUIRED"),
        ("cap.messages", "RANGE"),
        ("cap.days", "RANGE"),
    ]
