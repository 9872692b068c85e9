"""What is no request is refused with the field and the rule it breaks, and never breaks the server."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest, GetCustomerRequest
from kernel.pure.errors import Invalid
from kernel.rpc.reading import check_known, instant, reader

read = reader(BatchCreateCustomersRequest)
REQUEST = BatchCreateCustomersRequest(customers=[{}, {"person": {"full_name": "marker", "phones": ["138"]}}])


def broken(data: bytes) -> list[tuple[str, str]]:
    answer = read(data)
    assert isinstance(answer, Invalid)
    return [(violation.field, violation.rule) for violation in answer.violations]


def nested(depth: int) -> bytes:
    """A status within a status …, as field 1, group after group."""
    data = b""
    for _ in range(depth):
        data = b"\x0a" + _length(len(data)) + data
    return data


def _length(size: int) -> bytes:
    out = b""
    while size > 0x7F:
        out, size = out + bytes([size & 0x7F | 0x80]), size >> 7
    return out + bytes([size])


def test_a_message_is_read() -> None:
    assert read(REQUEST.SerializeToString()) == REQUEST


@pytest.mark.parametrize("bad", [b"\xff\xfe\xfd\xfc\xfb\xfa", b"\xed\xa0\x80\xed\xb0\x80", b"\xc0\x80aaaa"])
def test_text_that_is_no_utf8_is_named(bad: bytes) -> None:
    """Lone surrogates and the long form of NUL among them."""
    data = REQUEST.SerializeToString().replace(b"marker", bad)
    assert broken(data) == [("customers.person.full_name", "UTF8")]


def test_a_nul_in_a_text_is_named() -> None:
    request = BatchCreateCustomersRequest(customers=[{}, {"tags": ["a", "b\0"]}])
    assert broken(request.SerializeToString()) == [("customers[1].tags[1]", "NUL_CHARACTER")]


@pytest.mark.parametrize(
    ("at", "field"),
    [(b"", "2046"), (b"\x0a", "customers[2].2046"), (b"\x0a\x06\x1a", "customers[2].person.2046")],
)
def test_a_field_that_does_not_exist_is_named_by_its_number(at: bytes, field: str) -> None:
    unknown = b"\xf2\x7f\x01x"
    data = REQUEST.SerializeToString() + (at + b"\x04" + unknown if at else unknown)
    message = read(data)
    with pytest.raises(Invalid) as refused:
        check_known(message)
    assert [(v.field, v.rule) for v in refused.value.violations] == [(field, "UNKNOWN_FIELD")]
    check_known(REQUEST)


def test_bytes_that_are_no_message_are_named_where_they_stand() -> None:
    inner = b"\x1a\x02\xff\xff"  # a person whose bytes are none
    assert broken(b"\x0a\x04" + inner) == [("customers.person", "MALFORMED")]
    assert broken(b"\xff") == [("", "MALFORMED")]


def test_unknown_fields_are_no_fault() -> None:
    assert not isinstance(read(REQUEST.SerializeToString() + b"\xfa\x3e\x03abc"), Invalid)


@pytest.mark.parametrize("depth", [150, 10_000])
def test_what_nests_too_deep_is_no_message_or_unknown(depth: int) -> None:
    answer = read(nested(depth))
    assert isinstance(answer, Invalid | BatchCreateCustomersRequest)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert isinstance(read(data), Invalid | BatchCreateCustomersRequest)


@given(st.data())
def test_no_change_of_a_message_breaks_the_reader(data: st.DataObject) -> None:
    whole = bytearray(REQUEST.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(read(bytes(whole)), Invalid | BatchCreateCustomersRequest)


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(0, -1), (0, 10**9), (253402300800, 0), (-62135596801, 0), (2**63 - 1, 0)]
)
def test_an_instant_that_is_none_is_named(seconds: int, nanos: int) -> None:
    request = GetCustomerRequest(as_of=Timestamp(seconds=seconds, nanos=nanos))
    with pytest.raises(Invalid) as refused:
        instant(request, "as_of", "as_of")
    assert [(v.field, v.rule) for v in refused.value.violations] == [("as_of", "TIMESTAMP")]


def test_an_instant_that_is_unset_is_none() -> None:
    assert instant(GetCustomerRequest(), "as_of", "as_of") is None
