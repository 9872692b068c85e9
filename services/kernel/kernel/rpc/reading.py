"""Requests as they arrive: a message, or the refusal that names the field which is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from kernel.pure.errors import Invalid, Violation

# As deep as protobuf itself reads.
_DEEPEST = 100
_LENGTH_DELIMITED = 2


def reader(kind: type[Any]) -> Callable[[bytes], Any]:
    """Reads messages of a kind; answers an Invalid, to be raised once it is known who asks, for bytes
    that are none, for text that is no UTF-8 and for text with a NUL, which no database holds."""

    def read(data: bytes) -> Any:
        try:
            message = kind.FromString(data)
        except DecodeError:
            return Invalid.of(_fault(kind.DESCRIPTOR, data, "", 0))
        # Few messages have such a byte at all.
        nul = next(_with_nul(message, ""), None) if b"\0" in data else None
        if nul is not None:
            return Invalid.of(Violation(nul, "NUL_CHARACTER", "must not hold NUL", "不能包含空字符"))
        return message

    return read


def check_known(message: Any) -> None:
    """What a command does not know it would not carry out, and say it had.

    Raises Invalid naming the field by its number.
    """
    # Compared before it is looked for: nearly every message is without.
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    if known.ByteSize() != message.ByteSize():
        path = next(_unknown(message, ""), "")
        raise Invalid.of(
            Violation(path, "UNKNOWN_FIELD", "the method does not know this field", "该方法没有此字段")
        )


def instant(message: Any, field: str, path: str) -> datetime | None:
    """The instant in a Timestamp field; None when it is unset. Raises Invalid naming `path`."""
    if not message.HasField(field):
        return None
    try:
        at: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid.of(
            Violation(path, "TIMESTAMP", "must lie in the years 1 to 9999", "必须在 1 至 9999 年")
        ) from None
    return at


def duration(message: Any, field: str, path: str) -> timedelta | None:
    """The length of time in a Duration field; None when it is unset. Raises Invalid naming `path`."""
    if not message.HasField(field):
        return None
    try:
        length: timedelta = getattr(message, field).ToTimedelta()
    except (ValueError, OverflowError):
        raise Invalid.of(
            Violation(path, "DURATION", "must be a length of time", "必须是有效的时长")
        ) from None
    return length


def _unknown(message: Any, at: str) -> Iterator[str]:
    """The paths of fields that a message does not have, by their numbers."""
    parts: Any = UnknownFieldSet(message)
    for part in parts:
        yield f"{at}{part.field_number}"
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = {f"{field.name}[{key}]": entry for key, entry in value.items()}
            members = {path: entry for path, entry in inner.items() if hasattr(entry, "DESCRIPTOR")}
        elif field.is_repeated:
            members = {f"{field.name}[{index}]": member for index, member in enumerate(value)}
        else:
            members = {str(field.name): value}
        for path, member in members.items():
            yield from _unknown(member, f"{at}{path}.")


def _with_nul(message: Any, at: str) -> Iterator[str]:
    """The paths of texts that hold a NUL."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            texts = [text for entry in value.items() for text in entry if isinstance(text, str)]
            if any("\0" in text for text in texts):
                yield f"{at}{field.name}"
            continue
        members = value if field.is_repeated else (value,)
        for index, member in enumerate(members):
            path = f"{at}{field.name}[{index}]" if field.is_repeated else f"{at}{field.name}"
            if field.type == FieldDescriptor.TYPE_STRING and "\0" in member:
                yield path
            elif field.type == FieldDescriptor.TYPE_MESSAGE:
                yield from _with_nul(member, f"{path}.")


def _fault(kind: Any, data: bytes, at: str, depth: int) -> Violation:
    """Where bytes are no message of a kind, and why."""
    if depth > _DEEPEST:
        return Violation(
            at, "NESTING", f"must not nest deeper than {_DEEPEST}", f"嵌套不能超过 {_DEEPEST} 层"
        )
    try:
        parts: Any = UnknownFieldSet(Empty.FromString(data))
    except DecodeError:
        return Violation(at, "MALFORMED", "must be a protobuf message", "必须是 protobuf 消息")
    for part in parts:
        field = kind.fields_by_number.get(part.field_number)
        if field is None or part.wire_type != _LENGTH_DELIMITED:
            continue
        path = f"{at}.{field.name}" if at else str(field.name)
        if field.type == FieldDescriptor.TYPE_STRING and not _is_text(part.data):
            return Violation(path, "UTF8", "must be text in UTF-8", "必须是 UTF-8 文本")
        if field.type == FieldDescriptor.TYPE_MESSAGE and not _reads(field, part.data):
            return _fault(field.message_type, part.data, path, depth + 1)
    return Violation(at, "MALFORMED", "must be a protobuf message", "必须是 protobuf 消息")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reads(field: Any, data: bytes) -> bool:
    try:
        GetMessageClass(field.message_type).FromString(data)
    except DecodeError:
        return False
    return True
