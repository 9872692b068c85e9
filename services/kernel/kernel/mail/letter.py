"""A letter to one person, as it goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime


@dataclass(frozen=True)
class Letter:
    """`message_id` ("<…@domain>") is the same each time this letter is sent: who gets it twice can tell.

    `headers` are further ones, such as List-Unsubscribe. Ids of `references` have their angle brackets.
    """

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    sender_name: str = ""
    html: str = ""
    reply_to: str = ""
    references: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def message(self, at: datetime) -> EmailMessage:
        """As MIME, dated `at`. Raises ValueError for a header with a line break in it."""
        mail = EmailMessage(policy.SMTP)
        mail["From"] = Address(self.sender_name, addr_spec=self.sender)
        mail["To"] = Address(addr_spec=self.recipient)
        mail["Subject"] = self.subject
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = self.message_id
        if self.reply_to:
            mail["Reply-To"] = Address(addr_spec=self.reply_to)
        if self.references:
            mail["In-Reply-To"] = self.references[-1]
            mail["References"] = " ".join(self.references)
        for name, value in self.headers.items():
            mail[name] = value
        mail.set_content(self.text)
        if self.html:
            mail.add_alternative(self.html, subtype="html")
        return mail
