"""Customers who write mails while faults are done: a mail is sent again until it is kept."""

from __future__ import annotations

import json
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from tests.faults import laws
from tests.faults.history import History
from tests.faults.laws import Breach
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


def one_ticket_each(world: World, source: str, history: History, since: datetime) -> Iterator[Breach]:
    """Every mail that was kept is one ticket; senders are new, so none joins another's."""
    rows = world.behind.rows
    kept = rows("ticketing", "select ticket_id from app.mails where received_at >= %s", since)
    query = "select id from app.tickets where channel = 'email' and opened_at >= %s"
    tickets = Counter(ticket for (ticket,) in rows("ticketing", query, since))
    written = history.of(source, ["mail"]).keys("ok")
    missing = sorted(written)[: max(0, len(written) - len(kept))]
    yield from laws.breach("a mail that was taken is kept", "lost", missing)
    yield from laws.once_each("a mail becomes one ticket", {one for (one,) in kept}, tickets)
    yield from laws.breach("a mail is kept once", "twice", kept[len(written) :])


def unread(world: World) -> int:
    """Mails that are kept and not yet looked at."""
    [(count,)] = world.behind.rows("ticketing", "select count(*) from app.mails where state = 'stored'")
    return int(count)
