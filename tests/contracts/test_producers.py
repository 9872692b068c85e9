"""What the domains tell is what the contracts declare."""

from __future__ import annotations

import dataclasses
import importlib
import types
import typing
from functools import cache
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from kernel.pure.events import Event
from tests.architecture import descriptors
from tests.architecture.house import SERVICES
from tests.contracts.examples import teller


@cache
def told() -> dict[str, type[Event]]:
    """The event classes of every domain, by the full name of their message."""
    found: dict[str, type[Event]] = {}
    for name in ("kernel.pure.audit_chain", *(f"{service}.domain.events" for service in SERVICES)):
        module = importlib.import_module(name)
        for member in vars(module).values():
            if isinstance(member, type) and issubclass(member, Event) and member is not Event:
                found[member.type] = member
    return found


@pytest.mark.parametrize("event", sorted(descriptors.events()))
def test_every_event_of_the_contracts_is_told_by_its_service(event: str) -> None:
    assert told()[event].__module__.split(".")[0] == teller(event)


def test_no_service_tells_an_event_without_a_contract() -> None:
    assert set(told()) <= set(descriptors.events())


@pytest.mark.parametrize("event", sorted(descriptors.events()))
def test_the_fields_of_an_event_are_those_of_its_message(event: str) -> None:
    """Consumers parse by the contract; a field of another name would arrive and be ignored."""
    same_fields(told()[event], descriptors.events()[event])


def same_fields(event: type[Any], message: Descriptor) -> None:
    hints = typing.get_type_hints(event)
    fields = {field.name.rstrip("_"): hints[field.name] for field in dataclasses.fields(event)}
    assert set(fields) == {str(field.name) for field in message.fields}
    for field in message.fields:
        item = _item(fields[str(field.name)])
        assert (field.message_type is not None) == dataclasses.is_dataclass(item)
        if field.message_type is not None:
            same_fields(item, field.message_type)


def _item(hint: Any) -> Any:
    """The class in `tuple[Item, ...]`, `list[Item]` or `Item | None`."""
    arguments = [part for part in typing.get_args(hint) if part not in (types.NoneType, ...)]
    return arguments[0] if arguments else hint
