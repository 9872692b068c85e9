"""The trace a piece of work belongs to: W3C traceparent, carried across gRPC and AMQP; and what it is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

# The traceparent of what this thread is doing; empty outside of any trace.
current: ContextVar[str] = ContextVar("traceparent", default="")

# What this thread is doing and for whom, as log lines say it: ids and names of the program, never data.
doing: ContextVar[Mapping[str, str]] = ContextVar("doing", default=MappingProxyType({}))


def continued(traceparent: str | None) -> str:
    """A traceparent of the same trace with a span of our own; a new trace for anything unreadable."""
    match = _FORM.fullmatch(traceparent or "")
    trace = match[1] if match else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"


def trace_id() -> str:
    """The id of the current trace, 32 hex digits; empty outside of any."""
    return current.get()[3:35]


def begin(**facts: str) -> None:
    """A new trace for work that nobody's call or event asked for, and what it is."""
    current.set(continued(None))
    doing.set(facts)
