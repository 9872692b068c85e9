"""Ids: UUIDv7, which sort by the time they were made (RFC 9562)."""

from __future__ import annotations

from uuid import UUID

import uuid_utils

from kernel.pure.errors import Invalid, Violation


def new_id() -> UUID:
    """A new UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def parse_id(text: str, field: str) -> UUID:
    """The UUID written in `text`. Raises Invalid naming `field` for anything else."""
    if len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise Invalid.of(
        Violation(field, "ID_FORMAT", "must be a UUID of 36 characters", "必须是 36 个字符的 UUID")
    )
