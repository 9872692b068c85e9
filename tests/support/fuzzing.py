"""Requests that nobody meant: messages of any method, made from its descriptor, at the edges and beyond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_DEEPEST = 4
_MOST = 3
_NARROW = (0, 1, -1, 50, 200, 201, 2**31 - 1, -(2**31))
_WIDE = (*_NARROW, 2**53 + 1, 2**63 - 1, -(2**63), 253402300800, -62135596801)
_TEXTS = (
    "", " ", "\t\n", "a\0b", "\0", "\u202e\u200b", "\ufffe", "\ufeff", "🀄" * 50, "é" * 501, "x" * 1_001,
    "y" * 7_000, "' or 1=1 --", "%(id)s", "{0}", "${jndi:x}", "=1+1", "../../etc/passwd", "null", "-1",
    "1e400", "NaN", "0" * 40, "2026-02-30", "2026-06-30", "0000-01-01", "9999-12-31", "1.00", "-0.001",
    "9" * 30, "CNY", "XAU", "erp", "13800138000", "a@b.cn", "a@b", "***", "spend_tier", "person", "*",
    "01890000-0000-7000-8000-000000000000", "01890000-0000-7000-8000-00000000000g", "person.full_name",
    'kind == "person"', 'city in ["a"] || tags == 1', "(" * 200, "!" * 400, 'owner_id == "x"', "customer.id",
    "create_time > timestamp('9999-99-99T00:00:00Z')", "create_time desc",
)  # fmt: skip
_TYPES = {
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32),
        st.sampled_from(_NARROW) | st.integers(-(2**31), 2**31 - 1),
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64),
        st.sampled_from(_WIDE) | st.integers(-(2**63), 2**63 - 1),
    ),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), st.integers(0, 2**32 - 1)),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64), st.integers(0, 2**64 - 1)),
    **dict.fromkeys((FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT), st.floats(width=32)),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=50) | st.just(b"\0" * 2_000),
}
# A field's name says which of the known values it wants to be.
Known = Callable[[str], Sequence[str]]


@st.composite
def messages(draw: st.DrawFn, kind: Descriptor, known: Known, depth: int = 0) -> Any:
    """A message of a kind; `known` tells values that exist, by the name of a field."""
    message = GetMessageClass(kind)()
    for field in kind.fields:
        # Mostly filled, so that what is behind the first check is reached too.
        if draw(st.integers(0, 3)) == 0 or (field.message_type is not None and depth >= _DEEPEST):
            continue
        count = draw(st.integers(0, _MOST)) if field.is_repeated else 1
        for _ in range(count):
            value = draw(_values(field, known, depth))
            if is_map(field):
                getattr(message, field.name)[value.key] = value.value
            elif field.is_repeated:
                getattr(message, field.name).append(value)
            elif field.message_type is not None:
                getattr(message, field.name).CopyFrom(value)
            else:
                setattr(message, field.name, value)
    return message


def is_map(field: FieldDescriptor) -> bool:
    """Whether its values are entries of a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _values(field: FieldDescriptor, known: Known, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type, known, depth + 1)
    if field.enum_type is not None:
        return st.sampled_from([*(value.number for value in field.enum_type.values), 99, -1])
    if field.type == FieldDescriptor.TYPE_STRING:
        edges = st.sampled_from(_TEXTS) | st.text(max_size=20)
        names = known(str(field.name))
        return st.sampled_from(names) | edges if names else edges
    return _TYPES[field.type]
