"""Events are read off the wire as the protobuf library reads canonical JSON, only faster."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from kernel.bus import envelope
from kernel.bus.envelope import Unparsable, parse
from tests.contracts.examples import consumers, example

EXAMPLES = [example(consumer, event) for consumer, held in consumers().items() for event in sorted(held)]
WRONG = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.lists(st.text() | st.integers() | st.none(), max_size=2) | st.dictionaries(st.text(), st.text())
    | st.sampled_from(["7", "\ud800"])
)  # fmt: skip


def class_of(event: str) -> type[Message]:
    package, name = event.rsplit(".", 1)
    found: type[Message] = getattr(importlib.import_module(f"{package}.events_pb2"), name)
    return found


def by_the_library(said: dict[str, Any]) -> Message | None:
    try:
        return ParseDict(said["data"], class_of(said["type"])(), ignore_unknown_fields=True)
    except (ParseError, SystemError):
        return None


def by_us(said: dict[str, Any]) -> Message | None:
    try:
        return parse(json.dumps(said), class_of(said["type"]))[1]
    except Unparsable:
        return None


@pytest.mark.parametrize("said", EXAMPLES, ids=lambda said: said["type"])
def test_every_example_is_read_without_the_library(
    said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = by_the_library(said)
    monkeypatch.setattr(envelope, "ParseDict", None)
    assert wanted is not None
    assert by_us(said) == wanted


@given(st.data())
def test_what_is_wrong_somewhere_is_read_or_refused_as_by_the_library(data: st.DataObject) -> None:
    said = json.loads(json.dumps(data.draw(st.sampled_from(EXAMPLES))))
    where = said["data"]
    while True:
        key = data.draw(st.sampled_from([*where, "unknownField", "customer_id"]))
        inner = where.get(key)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict) and data.draw(st.booleans()):
            where = inner[0]
        else:
            break
    where[key] = data.draw(WRONG)
    assert by_us(said) == by_the_library(said)
