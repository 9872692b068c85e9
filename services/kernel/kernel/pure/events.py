"""Facts that a domain tells: frozen dataclasses whose fields mirror a message of events.proto."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID


@dataclass(frozen=True)
class Event:
    """A fact in the past tense.

    `type` is the full name of its message; the fields are that message's fields in snake_case.
    Amounts are Decimal, days are date, ids are UUID; never personal data, never a 64-bit integer.
    """

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        """Id of the aggregate the fact is about; empty for a batch."""
        return ""

    def data(self) -> dict[str, Any]:
        """The message in canonical proto3 JSON: lowerCamelCase, defaults left out."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def encode(value: Any) -> Any:
    """A value of a domain event as canonical proto3 JSON."""
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is UUID:
        return str(value)
    names = _members(kind)  # type: ignore[arg-type]
    if names is not None:
        return {
            name: member
            for attribute, name in names
            if (member := encode(getattr(value, attribute))) or not _is_default(member)
        }
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


@cache
def _members(kind: type) -> tuple[tuple[str, str], ...] | None:
    """The fields of a dataclass with their JSON names; None for any other type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, camel(field.name)) for field in dataclasses.fields(kind))


_JOINT = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """The JSON name of a proto field: "order_id" -> "orderId"."""
    return _JOINT.sub(lambda match: match[1].upper(), name.rstrip("_"))


def _is_default(encoded: Any) -> bool:
    return encoded is None or encoded is False or encoded in ("", 0, [])
