"""crm.marketing.v1.TrackingService: what the links in messages lead to."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from google.api.httpbody_pb2 import HttpBody

from crm.marketing.v1 import tracking_service_pb2 as rpc
from kernel.pure.grants import ANONYMOUS
from kernel.rpc.call import Call
from marketing.domain.content import addresses
from marketing.domain.errors import LinkNotFound
from marketing.domain.tokens import Use
from marketing.usecases.note_engagement import note_clicked, note_opened, unsubscribe
from marketing.usecases.ports import Work
from marketing.wiring import MarketingApp

Answer = TypeVar("Answer")

# A transparent GIF of one pixel.
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class TrackingServicer:
    """Anyone may call; the signed token is what they must hold.

    Following a link notes that it was followed: like the audit of a view, it is a trace of the read and
    no wish of the caller's, so it has a transaction of its own.
    """

    def __init__(self, app: MarketingApp) -> None:
        self._app = app

    def get_pixel(self, request: rpc.GetPixelRequest, call: Call) -> HttpBody:
        message_id, _ = self._app.tokens.open(Use.OPEN, request.token)
        self._note(lambda work: note_opened(work, message_id))
        return HttpBody(content_type="image/gif", data=_PIXEL)

    def get_link(self, request: rpc.GetLinkRequest, call: Call) -> HttpBody:
        message_id, link = self._app.tokens.open(Use.CLICK, request.token)
        address = self._note(lambda work: _follow(work, message_id, link))
        shown = html.escape(address)
        return _page(
            f'<meta http-equiv="refresh" content="0; url={shown}">'
            f'<p><a rel="noreferrer" href="{shown}">继续前往 Continue to {shown}</a></p>'
        )

    def get_unsubscribe_page(self, request: rpc.GetUnsubscribePageRequest, call: Call) -> HttpBody:
        self._app.tokens.open(Use.UNSUBSCRIBE, request.token)
        return _page(
            '<form method="post"><p>不再接收此类邮件？ No more mails of this kind?</p>'
            '<button name="List-Unsubscribe" value="One-Click">退订 Unsubscribe</button></form>'
        )

    def unsubscribe(self, request: rpc.UnsubscribeRequest, call: Call) -> HttpBody:
        message_id, _ = self._app.tokens.open(Use.UNSUBSCRIBE, request.token)
        unsubscribe(call.work, message_id)
        return _page("<p>您已退订。 You will get no more mails of this kind.</p>")

    def _note(self, note: Callable[[Work], Answer]) -> Answer:
        with self._app.work(ANONYMOUS) as work:
            return note(work)


def _follow(work: Work, message_id: UUID, link: int) -> str:
    """The address that stood in the message. Raises LinkNotFound."""
    message = note_clicked(work, message_id)
    found = addresses(work.campaigns.get(message.campaign_id).content)
    if link >= len(found):
        raise LinkNotFound
    return found[link]


def _page(body: str) -> HttpBody:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>CRM</title>'
    page = f'<!doctype html><html lang="zh"><head>{head}</head><body>{body}</body></html>'
    return HttpBody(content_type="text/html; charset=utf-8", data=page.encode())
