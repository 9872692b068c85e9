"""JSON logs on standard output, one line an entry: ids and reasons, never bodies."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from kernel.ops import trace
from kernel.pure.notes import EMAIL, MOBILE

# What may look like personal data or a secret is blotted out, whoever logged it.
_BLOTS = (
    EMAIL,
    MOBILE,
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # JWTs
    re.compile(r"(?<=://)([^:/@\s]+):[^@/\s]+(?=@)"),  # passwords in URLs
)


def blot(text: str) -> str:
    """`text` with everything that looks personal or secret replaced by [redacted]."""
    for pattern in _BLOTS:
        text = pattern.sub("[redacted]", text)
    return text


def configure(service: str, process: str, level: str) -> None:
    """Sends structlog and the standard library's logging to standard output as JSON."""
    shared: list[Any] = [
        _add_context,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Stamp({"service": service, "process": process}),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("amqp", "kombu", "nameko", "procrastinate", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; call it with a short event and keyword facts."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return bound


class _Stamp:
    def __init__(self, facts: Mapping[str, str]) -> None:
        self._facts = facts

    def __call__(self, _: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry.update(self._facts)
        return entry


def _add_context(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace and what goes on in it; what the line itself says comes first."""
    for key, value in trace.doing.get().items():
        entry.setdefault(key, value)
    if trace_id := trace.trace_id():
        entry.setdefault("trace", trace_id)
    return entry


def _redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in entry.items():
        # What structlog keeps there for itself is no part of the line.
        if not key.startswith("_"):
            entry[key] = _redacted(value)
    return entry


def _redacted(value: Any) -> Any:
    """A value as it may stand in a line, however deep the texts in it lie."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return blot(value)
    if isinstance(value, Mapping):
        return {blot(str(key)): _redacted(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(one) for one in value]
    return blot(repr(value))
