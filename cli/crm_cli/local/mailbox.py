"""The mail server of a local installation: keeps every mail as a file, and sends none anywhere.

`python -m crm_cli.local.mailbox <host:port> <folder>`. A mail to refused@… is refused for good, one to
later@… for now, so that both can be seen.
"""

from __future__ import annotations

import asyncio
import signal
import smtplib
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiosmtpd.controller import UnthreadedController

from crm_cli.local.program import Program

_LARGEST = 20 * 1024 * 1024  # bytes


class Mailbox:
    """Writes mails, each as a whole or not at all; their names sort by the time of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        if local == "refused":
            return "550 5.1.1 no such recipient"
        if local == "later":
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        name = f"{time.time_ns()}-{uuid4().hex[:8]}"
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(envelope.content)
        unfinished.rename(self._folder / f"{name}.eml")
        return "250 OK"


def program(folder: Path, port: int, environment: Mapping[str, str], log: Path) -> Program:
    """The server as a process of an installation."""
    folder.mkdir(parents=True, exist_ok=True)
    return Program(
        name="mailbox",
        command=(sys.executable, "-m", __name__, f"127.0.0.1:{port}", str(folder)),
        environment=environment,
        log=log,
        kind="server",
        home=folder,
        probe=partial(ask, f"smtp://127.0.0.1:{port}"),
    )


def ask(url: str) -> str | None:
    """Whether a mail server answers there."""
    host, _, port = url.rpartition("/")[2].rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=2) as connection:
            connection.noop()
        return None
    except (OSError, smtplib.SMTPException) as error:
        return f"does not answer ({type(error).__name__})"


def _serve(address: str, folder: Path) -> None:
    """Until SIGTERM."""
    host, _, port = address.rpartition(":")
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(
        Mailbox(folder), hostname=host, port=int(port), loop=loop, data_size_limit=_LARGEST
    )
    controller.begin()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, loop.stop)
    loop.run_forever()
    controller.end()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
