"""The mail server that customers' mails come to: a mail is answered 250 when it is kept, and not before.

It takes mail for the inbox only, so that nobody can send through it. What it can't keep now it asks to
be sent again (451): whoever sends mail does.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.controller import UnthreadedController

from kernel.ops.logs import logger
from kernel.pure.grants import Principal
from ticketing import metrics
from ticketing.domain.mail_reading import message_id_of
from ticketing.usecases.take_mail import store_mail
from ticketing.wiring import TicketingApp

_log = logger(__name__)

# Mails that are kept at the same time; further ones wait.
_THREADS = 4
_MOST_RECIPIENTS = 20
# Seconds for which a sender may be silent.
_PATIENCE = 60.0


class Inbox:
    """aiosmtpd's handler: its methods are named by the protocol's commands."""

    def __init__(self, app: TicketingApp) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail")

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not self._app.mail_tokens.takes(address):
            metrics.mails_received.labels("refused").inc()
            return "550 5.7.1 no mail is taken for this address"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        loop = asyncio.get_running_loop()
        raw = _with_envelope(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        try:
            stored = await loop.run_in_executor(self._threads, self._store, raw)
        except Exception as error:
            # Whatever it was, the sender keeps the mail and comes again.
            metrics.mails_received.labels("put_off").inc()
            _log.warning("mail put off", error=type(error).__name__)
            return "451 4.3.0 can't keep the mail now, please send it again"
        metrics.mails_received.labels("stored" if stored else "repeated").inc()
        return "250 2.0.0 kept"

    def _store(self, raw: bytes) -> bool:
        with self._app.work(Principal.service(self._app.service)) as work:
            return store_mail(work, raw, message_id_of(raw))


def _with_envelope(sender: str, recipients: list[str], content: bytes) -> bytes:
    """The mail below what the sender's server said of it, as mail servers have always noted it."""
    lines = [f"Return-Path: <{sender}>", *(f"X-Original-To: {recipient}" for recipient in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace") + content


def serve(app: TicketingApp) -> None:
    """Until SIGTERM; a mail in hand is kept first."""
    host, _, port = app.settings.mail_address.rpartition(":")
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(
        Inbox(app),
        hostname=host,
        port=int(port),
        loop=loop,
        data_size_limit=app.settings.mail_largest,
        tls_context=_tls(app),
        timeout=_PATIENCE,
        ident="crm",
    )
    controller.begin()
    _log.info("taking mail", address=app.settings.mail_address)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, loop.stop)
    loop.run_forever()
    controller.end()


def _tls(app: TicketingApp) -> ssl.SSLContext | None:
    """For STARTTLS, which senders may use."""
    settings = app.settings
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context
