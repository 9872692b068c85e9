"""A customer's own mail program: writes to the company, and reads what came."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import grpc

from crm_cli.client import Refused
from crm_cli.local.stack import StackInfo

INBOX = "support@crm.example"
_TIMEOUT = 30.0  # seconds


class Post:
    """Mails come in by the installation's own SMTP server. What goes out can be read when it goes to the
    installation's mailbox, and not when it goes to a mail server of the user's.
    """

    def __init__(self, stack: StackInfo) -> None:
        folder = Path(stack.folder)
        ports = json.loads((folder / "ports.json").read_text("utf-8"))
        self._port = int(ports["ticketing.smtp"])
        self._mailbox = folder / "mailbox"
        self.readable = any(server.name == "mailbox" and server.private for server in stack.servers)

    def write(self, sender: str, subject: str, text: str, to: str = INBOX) -> None:
        """Sends a mail. Raises Refused when it was not taken."""
        mail = EmailMessage(policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Message-ID"] = f"<{uuid4().hex}@{sender.rpartition('@')[2]}>"
        mail.set_content(text)
        try:
            with smtplib.SMTP("127.0.0.1", self._port, timeout=_TIMEOUT) as connection:
                connection.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise Refused(grpc.StatusCode.UNAVAILABLE, "MAIL_NOT_TAKEN", str(error), "SMTP") from None

    def letters(self, address: str, about: str) -> Iterator[EmailMessage]:
        """What came to an address about the ticket with this number, oldest first."""
        for file in sorted(self._mailbox.glob("*.eml")):
            data = file.read_bytes()
            if address.encode() in data:
                letter = message_from_bytes(data, policy=policy.default)
                if letter["To"] == address and about in letter["Subject"]:
                    yield letter
