"""Every event has an example, the example is what the contract says, and somebody hears it or nobody yet."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from google.protobuf import json_format

from tests.architecture import descriptors
from tests.architecture.house import SERVICES
from tests.contracts.examples import HERE, NOBODY, consumers, example, teller

PROMISES = sorted((consumer, event) for consumer, held in consumers().items() for event in held)
each_promise = pytest.mark.parametrize(("consumer", "event"), PROMISES)


@pytest.mark.parametrize("event", sorted(descriptors.events()))
def test_every_event_has_an_example(event: str) -> None:
    """An event nobody wrote down is one that nobody can rely on."""
    assert [consumer for consumer, promised in PROMISES if promised == event]


@each_promise
def test_an_example_belongs_to_an_event_of_the_contracts(consumer: str, event: str) -> None:
    assert event in descriptors.events()


def test_an_event_is_heard_or_explicitly_not() -> None:
    heard = {event for consumer, event in PROMISES if consumer != NOBODY}
    assert not heard & consumers().get(NOBODY, set())


@each_promise
def test_an_example_is_a_cloud_event(consumer: str, event: str) -> None:
    envelope = example(consumer, event)
    assert list(envelope) == [
        "specversion", "id", "type", "source", "subject", "time", "traceparent", "data",
    ]  # fmt: skip
    assert envelope["specversion"] == "1.0"
    assert UUID(envelope["id"]).version == 7
    assert envelope["type"] == event
    told_by = envelope["source"].removeprefix("/crm/")
    assert told_by in SERVICES if teller(event) == "kernel" else told_by == teller(event)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", envelope["time"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", envelope["traceparent"])


@each_promise
def test_the_data_of_an_example_is_the_message_in_canonical_json(consumer: str, event: str) -> None:
    """An unknown field, a wrong type or a number written as text would be caught here, not by a consumer."""
    data = example(consumer, event)["data"]
    message = json_format.ParseDict(data, descriptors.message_class(descriptors.events()[event])())
    assert json_format.MessageToDict(message) == data


@each_promise
def test_an_example_shows_every_field(consumer: str, event: str) -> None:
    """A field that no example shows is one that no consumer's test has ever seen."""
    shown = set(re.findall(r'"(\w+)":', json.dumps(example(consumer, event)["data"])))
    declared = {str(field.json_name) for field in descriptors.reachable(descriptors.events()[event])}
    assert shown == declared


def test_examples_are_written_for_readers() -> None:
    """Indented, Chinese as Chinese, so that a review sees what changed."""
    for path in HERE.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n", path.name
