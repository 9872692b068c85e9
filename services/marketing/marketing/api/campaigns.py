"""crm.marketing.v1.CampaignService"""

from __future__ import annotations

from uuid import UUID

from crm.marketing.v1 import campaign_pb2 as pb
from crm.marketing.v1 import campaign_service_pb2 as rpc
from kernel.pure.errors import StaleEtag
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from kernel.sql.engine import Reader
from marketing.api import translate
from marketing.domain.campaign import Campaign, Channel, Draft
from marketing.domain.errors import CampaignNotFound
from marketing.domain.frequency import PRESETS, FrequencyCap
from marketing.store import queries
from marketing.usecases import write_campaigns
from marketing.usecases.change_caps import change_cap
from marketing.wiring import MarketingApp


class CampaignServicer:
    def __init__(self, app: MarketingApp) -> None:
        self._app = app

    def create_campaign(self, request: rpc.CreateCampaignRequest, call: Call) -> pb.Campaign:
        return self._written(
            write_campaigns.create_campaign(call.work, translate.draft(request.campaign)), call
        )

    def update_campaign(self, request: rpc.UpdateCampaignRequest, call: Call) -> pb.Campaign:
        wanted, mask = request.campaign, request.update_mask

        def rewrite(campaign: Campaign) -> Draft:
            return translate.redraft(campaign, wanted, mask)

        campaign_id = parse_id(wanted.id, "campaign.id")
        version = _version(wanted.etag)
        return self._written(write_campaigns.update_campaign(call.work, campaign_id, version, rewrite), call)

    def start_campaign(self, request: rpc.StartCampaignRequest, call: Call) -> pb.Campaign:
        version = _version(request.etag)
        return self._written(
            write_campaigns.start_campaign(call.work, parse_id(request.id, "id"), version), call
        )

    def pause_campaign(self, request: rpc.PauseCampaignRequest, call: Call) -> pb.Campaign:
        return self._written(write_campaigns.pause_campaign(call.work, parse_id(request.id, "id")), call)

    def resume_campaign(self, request: rpc.ResumeCampaignRequest, call: Call) -> pb.Campaign:
        return self._written(write_campaigns.resume_campaign(call.work, parse_id(request.id, "id")), call)

    def cancel_campaign(self, request: rpc.CancelCampaignRequest, call: Call) -> pb.Campaign:
        return self._written(write_campaigns.cancel_campaign(call.work, parse_id(request.id, "id")), call)

    def get_campaign(self, request: rpc.GetCampaignRequest, call: Call) -> pb.Campaign:
        row = queries.get_campaign(self._app.reader, parse_id(request.id, "id"))
        if row is None:
            raise CampaignNotFound
        counts = queries.count_messages(self._app.reader, row.id)
        return translate.campaign_message(queries.campaign_of(row), counts)

    def list_campaigns(self, request: rpc.ListCampaignsRequest, call: Call) -> rpc.ListCampaignsResponse:
        size = page_size(request.page_size)
        query = ("ListCampaigns", call.principal.id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        after = UUID(cursor[0]) if cursor else None
        # One more than a page holds tells whether another page follows.
        rows = queries.list_campaigns(self._app.reader, after, size + 1)
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].id)]) if len(rows) > size else ""
        campaigns = [translate.campaign_message(queries.campaign_of(row)) for row in rows[:size]]
        return rpc.ListCampaignsResponse(campaigns=campaigns, next_page_token=token)

    def list_messages(self, request: rpc.ListMessagesRequest, call: Call) -> rpc.ListMessagesResponse:
        campaign_id = parse_id(request.campaign_id, "campaign_id")
        state = translate.state_of(request.state)
        size = page_size(request.page_size)
        query = ("ListMessages", call.principal.id, campaign_id, state)
        cursor = self._app.page_tokens.open(query, request.page_token)
        if queries.get_campaign(self._app.reader, campaign_id) is None:
            raise CampaignNotFound
        after = UUID(cursor[0]) if cursor else None
        rows = queries.list_messages(self._app.reader, campaign_id, state, after, size + 1)
        call.viewed("customer", [row.customer_id for row in rows[:size]])
        token = self._app.page_tokens.seal(query, [str(rows[size - 1].id)]) if len(rows) > size else ""
        messages = [translate.recipient_message(row) for row in rows[:size]]
        return rpc.ListMessagesResponse(messages=messages, next_page_token=token)

    def list_frequency_caps(
        self, request: rpc.ListFrequencyCapsRequest, call: Call
    ) -> rpc.ListFrequencyCapsResponse:
        changed = {
            Channel(row.channel): FrequencyCap(Channel(row.channel), row.messages, row.days, row.version)
            for row in queries.list_caps(self._app.reader)
        }
        caps = [changed.get(preset.channel, preset) for preset in PRESETS]
        return rpc.ListFrequencyCapsResponse(caps=[translate.cap_message(cap) for cap in caps])

    def update_frequency_cap(self, request: rpc.UpdateFrequencyCapRequest, call: Call) -> pb.FrequencyCap:
        wanted = request.cap
        channel = translate.channel_of(wanted.channel)
        return translate.cap_message(change_cap(call.work, channel, wanted.messages, wanted.days))

    def _written(self, campaign: Campaign, call: Call) -> pb.Campaign:
        reader: Reader = call.open_work.reader
        return translate.campaign_message(campaign, queries.count_messages(reader, campaign.id))


def _version(etag: str) -> int | None:
    """The version an etag stands for; None for none. Raises StaleEtag for one that was never given out."""
    if not etag:
        return None
    if not etag.isascii() or not etag.isdecimal() or len(etag) > 9:
        raise StaleEtag
    return int(etag)
