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
# Items that a method which takes many at once takes, at most.
LARGEST_BATCH = 500
_MAC = 16


def page_size(asked: int) -> int:
    """Rows a page should hold: 50 when nothing was asked, at most 200. Raises Invalid below 0."""
    if asked < 0:
        raise Invalid.of(Violation("page_size", "PAGE_SIZE", "must not be negative", "不能为负数"))
    return min(asked or DEFAULT_PAGE, LARGEST_PAGE)


class PageTokens:
    """Signs cursors with the first of a service's keys and believes all of them.

    With the oldest key first, a key may be added while some replicas do not know it yet.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ValueError when there is no key."""
        if not keys:
            raise ValueError("without a key anybody could make page tokens")
        self._keys = tuple(keys)

    def seal(self, query: Sequence[object], cursor: Sequence[str]) -> str:
        """A token that continues `query` after the row with the sort key `cursor`.

        `query` is all that must stay the same: method, filter, order, caller.
        """
        payload = json.dumps(list(cursor), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(self._keys[0], query, payload) + payload).decode()

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
        if not payload or not self._made(mac, query, payload):
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

    def _made(self, mac: bytes, query: Sequence[object], payload: bytes) -> bool:
        return any(hmac.compare_digest(mac, self._mac(key, query, payload)) for key in self._keys)

    @staticmethod
    def _mac(key: bytes, query: Sequence[object], payload: bytes) -> bytes:
        bound = json.dumps([str(part) for part in query]).encode()
        return blake2b(bound + b"\0" + payload, key=key, digest_size=_MAC).digest()
