"""Page tokens (AIP-158): opaque, signed, and bound to the query they continue."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from hashlib import blake2b

from kernel.pure.errors import Invalid, Violation

DEFAULT_PAGE = 50
LARGEST_PAGE = 200
_MAC = 16


def page_size(asked: int) -> int:
    """Rows a page should hold: 50 when nothing was asked, at most 200. Raises Invalid below 0."""
    if asked < 0:
        raise Invalid.of(Violation("page_size", "PAGE_SIZE", "must not be negative", "不能为负数"))
    return min(asked or DEFAULT_PAGE, LARGEST_PAGE)


class PageTokens:
    """Signs cursors with a key of the installation."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, query: Sequence[object], cursor: Sequence[str]) -> str:
        """A token that continues `query` after the row with the sort key `cursor`.

        `query` is all that must stay the same: method, filter, order, caller.
        """
        payload = json.dumps(list(cursor), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(query, payload) + payload).decode()

    def open(self, query: Sequence[object], token: str) -> list[str] | None:
        """The cursor of a token; None for an empty token, which asks for the first page.

        Raises Invalid when it was not made for this query.
        """
        if not token:
            return None
        try:
            raw = base64.b64decode(token.encode("ascii", "replace"), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, payload = raw[:_MAC], raw[_MAC:]
        if not payload or not hmac.compare_digest(mac, self._mac(query, payload)):
            raise Invalid.of(
                Violation(
                    "page_token",
                    "PAGE_TOKEN",
                    "must come from next_page_token of the same query by the same caller",
                    "必须来自同一调用者同一查询的 next_page_token",
                )
            )
        cursor: list[str] = json.loads(payload)
        return cursor

    def _mac(self, query: Sequence[object], payload: bytes) -> bytes:
        bound = json.dumps([str(part) for part in query]).encode()
        return blake2b(bound + b"\0" + payload, key=self._key, digest_size=_MAC).digest()
