"""Addresses and Message-IDs of our mails, by which answers find their ticket; and links of surveys."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

# Bytes: 2^64 guesses at a mail server that takes a hundred a second.
_MAC = 8
_CODE = re.compile(r"[a-z2-7]{39}")


@dataclass(frozen=True)
class MailTokens:
    """`inbox` is the address customers write to: "support@example.com"."""

    key: bytes
    inbox: str

    @property
    def domain(self) -> str:
        return self.inbox.rpartition("@")[2]

    def reply_to(self, ticket_id: UUID) -> str:
        """The address that answers about a ticket go to: "support+<code>@example.com"."""
        local, _, domain = self.inbox.rpartition("@")
        return f"{local}+{self._code('ticket', ticket_id)}@{domain}"

    def message_id(self, ticket_id: UUID, message_id: UUID) -> str:
        """The Message-ID of our mail, the same whenever it is sent: it names its ticket."""
        return f"<{message_id.hex}.{self._code('ticket', ticket_id)}@{self.domain}>"

    def ticket_of(self, recipients: Iterable[str], references: Iterable[str]) -> UUID | None:
        """The ticket that a mail answers, by where it went and what it refers to; None for a new one."""
        local, _, domain = self.inbox.rpartition("@")
        for address in recipients:
            name, _, at = address.rpartition("@")
            if at == domain and name.startswith(f"{local}+"):
                if (found := self._opened("ticket", name[len(local) + 1 :])) is not None:
                    return found
        for reference in reversed(list(references)):
            name, _, at = reference.strip("<>").rpartition("@")
            if at == domain and (found := self._opened("ticket", name.rpartition(".")[2])) is not None:
                return found
        return None

    def takes(self, address: str) -> bool:
        """Whether mail to this address is for us."""
        local, _, domain = self.inbox.rpartition("@")
        name, _, at = address.lower().rpartition("@")
        return at == domain and (name == local or name.startswith(f"{local}+"))

    def survey_link(self, survey_id: UUID) -> str:
        """The code by which anyone who has it answers a survey."""
        return self._code("survey", survey_id)

    def survey_of(self, code: str) -> UUID | None:
        return self._opened("survey", code)

    def _code(self, purpose: str, of: UUID) -> str:
        """39 letters and digits: 16 bytes of the id and 8 that only we can make."""
        return base64.b32encode(of.bytes + self._mac(purpose, of)).decode().lower().rstrip("=")

    def _opened(self, purpose: str, code: str) -> UUID | None:
        if not _CODE.fullmatch(code):
            return None
        try:
            data = base64.b32decode(code.upper() + "=")
        except binascii.Error:
            return None
        of = UUID(bytes=data[:16])
        return of if hmac.compare_digest(data[16:], self._mac(purpose, of)) else None

    def _mac(self, purpose: str, of: UUID) -> bytes:
        return blake2b(purpose.encode() + of.bytes, key=self.key, digest_size=_MAC).digest()
