"""Our own headers on copies of events: how often one waited, and why it died."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# How often the event has waited on a retry queue.
ATTEMPT = "crm-attempt"
REASON = "crm-reason"
DETAIL = "crm-detail"
HANDLER = "crm-handler"
DIED_AT = "crm-died-at"
# How often it was taken back from the dead-letter queue.
REPLAYS = "crm-replays"

# What the broker writes when it gives a message up by itself.
_BROKER_REASON = "x-first-death-reason"


def attempts(headers: Mapping[str, Any]) -> int:
    """How often an event has waited; 0 when nothing readable says so."""
    value = headers.get(ATTEMPT, 0)
    return value if isinstance(value, int) and value >= 0 else 0


def epitaph(*, attempts: int, reason: str, detail: str, handler: str) -> dict[str, Any]:
    """The headers of a dead letter."""
    return {
        ATTEMPT: attempts,
        REASON: reason,
        DETAIL: detail,
        HANDLER: handler,
        DIED_AT: datetime.now(UTC).isoformat(timespec="seconds"),
    }


def reason(headers: Mapping[str, Any]) -> str:
    """Why a dead letter died: our reason, else the broker's in capitals ("DELIVERY_LIMIT")."""
    return str(headers.get(REASON) or headers.get(_BROKER_REASON, "unknown")).upper()
