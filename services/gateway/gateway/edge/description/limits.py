"""The limits a caller meets, in one table: docs/limits.md, the OpenAPI description and the page show it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edge import bodies, replies
from gateway.edge import limits as caller_limits
from gateway.edge.replies import Refusal
from gateway.edge.settings import MOST_HEADERS, MOST_HEADERS_KIB, MOST_STREAMS, EdgeSettings
from kernel.ops.settings import Settings
from kernel.pure.paging import DEFAULT_PAGE, LARGEST_BATCH, LARGEST_PAGE
from kernel.rpc.admission import Overloaded, Priority, TooManyAtOnce
from kernel.rpc.dispatch import TOO_LATE

_MIB = 1 << 20


@dataclass(frozen=True)
class Limit:
    """`most` in words; beyond it a call ends with the reason; `setting` changes it, where one does."""

    what: str
    most: str
    reason: str
    setting: str = ""


def limits(settings: EdgeSettings) -> list[Limit]:
    """What this installation allows."""
    return [
        *_sizes(),
        *_waits(),
        Limit(
            "calls of one user",
            _rate(settings.user_calls_per_second),
            _reason(replies.RATE_LIMITED),
            "CRM_EDGE_USER_CALLS_PER_SECOND",
        ),
        Limit(
            "calls of one service account",
            _rate(settings.account_calls_per_second),
            _reason(replies.RATE_LIMITED),
            "CRM_EDGE_ACCOUNT_CALLS_PER_SECOND",
        ),
        Limit(
            "calls of one address to methods that need no token",
            f"{settings.anonymous_calls_per_second:,} a second",
            _reason(replies.RATE_LIMITED),
            "CRM_EDGE_ANONYMOUS_CALLS_PER_SECOND",
        ),
        Limit(
            "time of a call that brings no `grpc-timeout`",
            f"{settings.deadline} s",
            _reason(replies.DEADLINE_EXCEEDED),
            "CRM_EDGE_DEADLINE",
        ),
        Limit(
            "time a call may ask for",
            f"{settings.longest_deadline} s",
            _reason(replies.DEADLINE_EXCEEDED),
            "CRM_EDGE_LONGEST_DEADLINE",
        ),
        Limit("calls open at a time on one connection", f"{MOST_STREAMS}", "HTTP/2 `REFUSED_STREAM`"),
        Limit(
            "open connections",
            f"{settings.max_connections:,}",
            "the connection is closed",
            "CRM_EDGE_MAX_CONNECTIONS",
        ),
    ]


def _sizes() -> list[Limit]:
    large = _reason(replies.BODY_TOO_LARGE)
    return [
        Limit("body of a request", f"{bodies.ORDINARY // _MIB} MiB", large),
        Limit("body of a batch request", f"{bodies.BATCH // _MIB} MiB", large),
        Limit(
            "headers of a request",
            f"{MOST_HEADERS_KIB} KiB, {MOST_HEADERS} of them",
            _reason(replies.HEADERS_TOO_LARGE),
        ),
        Limit(
            "items of a page",
            f"{LARGEST_PAGE}; {DEFAULT_PAGE} when the call says nothing",
            "fewer are answered",
        ),
        Limit("items of a batch", f"{LARGEST_BATCH}", "`INVALID_FIELDS`"),
    ]


def _waits() -> list[Limit]:
    """A service that has more to do than it can says so when a call arrives, not when its time is over."""
    overloaded = f"`{Overloaded.reason}`, HTTP 429"
    queue = Settings.model_fields["grpc_queue"].default
    return [
        Limit("expected wait of a list for a thread", f"{Priority.LIST.value * 1000:.0f} ms", overloaded),
        Limit("expected wait of a single read", f"{Priority.READ.value * 1000:.0f} ms", overloaded),
        Limit(
            "calls waiting in one process of a service, commands too",
            f"{queue}",
            overloaded,
            "CRM_GRPC_QUEUE",
        ),
        Limit(
            "calls of one caller under way in one process of a service",
            f"{Settings.model_fields['grpc_calls_of_one'].default}",
            f"`{TooManyAtOnce.reason}`, HTTP 429",
            "CRM_GRPC_CALLS_OF_ONE",
        ),
        Limit(
            "time that must be left of a call when its turn comes",
            f"{TOO_LATE * 1000:.0f} ms",
            _reason(replies.DEADLINE_EXCEEDED),
        ),
    ]


def _rate(calls_per_second: int) -> str:
    return f"{calls_per_second:,} a second, {calls_per_second * caller_limits.BURST:,} at once after a pause"


def _reason(refusal: Refusal) -> str:
    return f"`{refusal.reason}`, HTTP {refusal.http}"
