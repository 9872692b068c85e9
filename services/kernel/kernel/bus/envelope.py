"""The envelope of an event, as it comes off the wire: CloudEvents 1.0 in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


class Unparsable(Exception):
    """The message is not an event of ours; the text says why without quoting it."""


@dataclass(frozen=True)
class Envelope:
    """What is said about an event besides its data; the fields are those of crm.event.v1.Envelope."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    traceparent: str


def parse(body: bytes | str, message_class: type[M]) -> tuple[Envelope, M]:
    """The envelope in `body` and its data as a message; fields this code does not know are ignored.

    Raises Unparsable for anything that is not an event of this type.
    """
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise Unparsable("not JSON") from error
    if not isinstance(fields, Mapping) or fields.get("specversion") != "1.0":
        raise Unparsable("not a CloudEvents 1.0 envelope")
    wanted = message_class.DESCRIPTOR.full_name
    if fields.get("type") != wanted:
        raise Unparsable(f"not a {wanted}")
    return _envelope(fields), _data(fields.get("data", {}), message_class)


def _envelope(fields: Mapping[str, Any]) -> Envelope:
    try:
        return Envelope(
            id=UUID(fields["id"]),
            type=fields["type"],
            source=str(fields.get("source", "")),
            subject=str(fields.get("subject", "")),
            time=_instant(fields["time"]),
            traceparent=str(fields.get("traceparent", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unparsable("the envelope lacks a readable id or time") from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant


def _data(data: Any, message_class: type[M]) -> M:
    if not isinstance(data, dict):
        raise Unparsable("data is not an object")
    try:
        return ParseDict(data, message_class(), ignore_unknown_fields=True)
    except ParseError as error:
        raise Unparsable(f"data is not a {message_class.DESCRIPTOR.full_name}") from error
