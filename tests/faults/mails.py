"""Customers who write mails while faults are done: a mail is sent again until it is kept."""

from __future__ import annotations

import json
import smtplib
import threading
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

from crm.ticketing.v1.ticket_service_pb2 import ListTicketsRequest
from tests.faults.history import History
from tests.faults.world import World

_INBOX = "support@crm.example"
# Seconds between two tries of a mail, and in which it must be kept at last.
_PAUSE, _PATIENCE = 0.2, 180.0


class Writer:
    """Writes so many mails, one after another, each from an address of its own."""

    def __init__(self, world: World, source: str, count: int, history: History) -> None:
        ports = json.loads(Path(world.behind.stack.folder, "ports.json").read_text("utf-8"))
        self._port = int(ports["ticketing.smtp"])
        self._source, self._count, self._history = source, count, history
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        for number in range(self._count):
            key = f"{self._source} mail {number}"
            with self._history.operation(key) as operation:
                operation.state = self._write(key)

    def _write(self, key: str) -> str:
        name = key.replace(" ", "-").lower()
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"{name}@example.com", _INBOX, key
        mail["Message-ID"] = f"<{name}@example.com>"
        mail.set_content("请问什么时候发货？")
        give_up = time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=10) as connection:
                    connection.send_message(mail)
            except (OSError, smtplib.SMTPException):
                time.sleep(_PAUSE)
            else:
                return "ok"
        return "unknown"


def tickets(world: World, source: str) -> Counter[str]:
    """How many tickets each mail became, by its subject."""
    session, token, found = world.admin.session(), "", Counter[str]()
    while True:
        request = ListTicketsRequest(page_size=200, page_token=token)
        page = session.call(session.tickets.ListTickets, request)
        found.update(one.subject for one in page.tickets if one.subject.startswith(f"{source} mail "))
        if not (token := page.next_page_token):
            return found


def unread(world: World) -> int:
    """Mails that are kept and not yet looked at."""
    [(count,)] = world.behind.rows("ticketing", "select count(*) from app.mails where state = 'stored'")
    return int(count)
