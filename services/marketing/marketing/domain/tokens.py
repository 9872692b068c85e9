"""Tokens of the links in a message: which message, which link; signed, and without personal data."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from uuid import UUID

from marketing.domain.errors import LinkNotFound

_MAC = 12


class Use(Enum):
    OPEN = b"o"
    CLICK = b"c"
    UNSUBSCRIBE = b"u"


@dataclass(frozen=True)
class Tokens:
    """Signs with a key of the installation."""

    key: bytes

    def seal(self, use: Use, message_id: UUID, link: int = 0) -> str:
        """In base64url; 42 characters. `link` is 0 to 255."""
        body = message_id.bytes + bytes([link])
        return base64.urlsafe_b64encode(body + self._mac(use, body)).decode().rstrip("=")

    def open(self, use: Use, token: str) -> tuple[UUID, int]:
        """The message and the link. Raises LinkNotFound for a token not made for this use."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        body, mac = raw[:17], raw[17:]
        if len(body) != 17 or not hmac.compare_digest(mac, self._mac(use, body)):
            raise LinkNotFound
        return UUID(bytes=body[:16]), body[16]

    def _mac(self, use: Use, body: bytes) -> bytes:
        return blake2b(use.value + body, key=self.key, digest_size=_MAC).digest()
