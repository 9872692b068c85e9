"""The envelope of an event, as it comes off the wire: CloudEvents 1.0 in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
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
    with suppress(_NotPlain, TypeError, ValueError):
        return message_class(**_arguments(data, message_class.DESCRIPTOR))
    try:
        return ParseDict(data, message_class(), ignore_unknown_fields=True)
    # The library stumbles over half a surrogate pair in the place of a message.
    except (ParseError, SystemError) as error:
        raise Unparsable(f"data is not a {message_class.DESCRIPTOR.full_name}") from error


class _NotPlain(Exception):
    """Data that ParseDict has to judge."""


class _Field(NamedTuple):
    name: str
    # What json.loads makes of a plain value; of a message its descriptor stands beside.
    kind: type
    message: Descriptor | None
    repeated: bool


def _arguments(data: dict[str, Any], descriptor: Any) -> dict[str, Any]:
    """What a message is constructed of, a seventh of the work of ParseDict: events hold texts, numbers, truth
    values and messages of these. Raises _NotPlain for anything else."""
    fields = _fields(descriptor)
    found: dict[str, Any] = {}
    for key, value in data.items():
        field = fields.get(key)
        if field is None:
            continue
        name, kind, message, repeated = field
        members: list[Any] = value if repeated else [value]
        if name in found or type(members) is not list or any(type(one) is not kind for one in members):
            raise _NotPlain
        if message:
            members = [_arguments(one, message) for one in members]
        found[name] = members if repeated else members[0]
    return found


_KINDS = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_INT32: int,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_MESSAGE: dict,
}


@cache
def _fields(descriptor: Descriptor) -> Mapping[str, _Field]:
    """The fields of a message by either of their names in JSON. Raises _NotPlain when it has others."""
    fields: dict[str, _Field] = {}
    for field in descriptor.fields:
        kind = _KINDS.get(field.type)
        message, one_of = field.message_type, field.containing_oneof
        if kind is None or (one_of and len(one_of.fields) > 1):
            raise _NotPlain
        # These have forms of their own: instants, spans, maps.
        if message and (message.file.package == "google.protobuf" or message.GetOptions().map_entry):
            raise _NotPlain
        read = _Field(field.name, kind, message, field.is_repeated)
        fields[field.json_name] = fields[field.name] = read
    return fields
