"""Values in PostgreSQL's binary format, made of bytes at once: for COPY … FROM STDIN (FORMAT BINARY), and
for long arrays as parameters. A third of the cost of one adapter a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from struct import Struct
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
TRUE, FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"

_size = Struct(">i").pack
_int4 = Struct(">ii").pack
_int8 = Struct(">iq").pack
_array = Struct(">iiiii").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_BIGINT, _TEXT = 20, 25
_BIGINT_ARRAY = 1016
_EMPTY_ARRAYS = {oid: Struct(">iii").pack(0, 0, oid) for oid in (_BIGINT, _TEXT)}


def row(columns: int) -> bytes:
    """What stands before the columns of a row."""
    return columns.to_bytes(2, "big")


def uuid(value: UUID) -> bytes:
    return b"\0\0\0\x10" + value.bytes


def text(value: str) -> bytes:
    encoded = value.encode()
    return _size(len(encoded)) + encoded


def data(value: bytes) -> bytes:
    return _size(len(value)) + value


def jsonb(value: str) -> bytes:
    encoded = value.encode()
    return _size(len(encoded) + 1) + b"\1" + encoded


def integer(value: int) -> bytes:
    return _int4(4, value)


def instant(value: datetime) -> bytes:
    since = value - _EPOCH
    return _int8(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def numbers(values: Sequence[int]) -> bytes:
    """A bigint[] for a parameter."""
    return _array_of(_BIGINT, len(values), map(_int8, repeat(8), values))


def number_array(values: Sequence[int]) -> bytes:
    """A bigint[] for a row."""
    return data(numbers(values))


def text_array(values: Sequence[str]) -> bytes:
    """A text[]."""
    return data(_array_of(_TEXT, len(values), map(text, values)))


def _array_of(oid: int, count: int, members: Iterable[bytes]) -> bytes:
    if not count:
        return _EMPTY_ARRAYS[oid]
    return _array(1, 0, oid, count, 1) + b"".join(members)


@dataclass(frozen=True)
class Numbers:
    """A bigint[] as a parameter, made by `numbers`."""

    encoded: bytes


class _NumbersDumper(Dumper):
    oid = _BIGINT_ARRAY
    format = pq.Format.BINARY

    def dump(self, obj: Numbers) -> bytes:
        return obj.encoded


psycopg.adapters.register_dumper(Numbers, _NumbersDumper)


def whole(rows: Iterable[bytes]) -> bytes:
    """The stream of all rows."""
    return b"".join((HEADER, *rows, TRAILER))
