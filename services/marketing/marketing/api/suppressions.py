"""crm.marketing.v1.SuppressionService"""

from __future__ import annotations

from uuid import UUID

from crm.marketing.v1 import suppression_service_pb2 as rpc
from kernel.pure.ids import parse_id
from kernel.pure.paging import page_size
from kernel.rpc.call import Call
from marketing.api import translate
from marketing.domain.suppression import read_address
from marketing.store import queries
from marketing.usecases import suppress_addresses
from marketing.wiring import MarketingApp


class SuppressionServicer:
    def __init__(self, app: MarketingApp) -> None:
        self._app = app

    def suppress_address(self, request: rpc.SuppressAddressRequest, call: Call) -> rpc.Suppression:
        channel, reason = translate.channel_of(request.channel), translate.reason_of(request.reason)
        held = suppress_addresses.suppress_address(call.work, channel, request.address, reason)
        return translate.suppression_message(held)

    def search_suppressions(
        self, request: rpc.SearchSuppressionsRequest, call: Call
    ) -> rpc.SearchSuppressionsResponse:
        channel, address = read_address(translate.channel_of(request.channel), request.address)
        found = queries.suppressions_of(self._app.reader, self._app.blind, channel, address)
        call.viewed("suppression", [held.id for held in found])
        return rpc.SearchSuppressionsResponse(suppressions=map(translate.suppression_message, found))

    def list_suppressions(
        self, request: rpc.ListSuppressionsRequest, call: Call
    ) -> rpc.ListSuppressionsResponse:
        size = page_size(request.page_size)
        query = ("ListSuppressions", call.principal.id)
        cursor = self._app.page_tokens.open(query, request.page_token)
        before = UUID(cursor[0]) if cursor else None
        found = queries.list_suppressions(self._app.reader, before, size + 1)
        token = self._app.page_tokens.seal(query, [str(found[size - 1].id)]) if len(found) > size else ""
        return rpc.ListSuppressionsResponse(
            suppressions=map(translate.suppression_message, found[:size]), next_page_token=token
        )

    def lift_suppression(
        self, request: rpc.LiftSuppressionRequest, call: Call
    ) -> rpc.LiftSuppressionResponse:
        suppress_addresses.lift_suppression(call.work, parse_id(request.id, "id"), request.reason)
        return rpc.LiftSuppressionResponse()
