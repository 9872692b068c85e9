"""The AsyncAPI document says of events what the examples show: it is what others write consumers from."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from gateway.edge.catalogue import descriptors
from gateway.edge.description.asyncapi import asyncapi
from gateway.edge.description.contracts import Contracts
from tests.contracts.examples import consumers, example

PROMISES = sorted((consumer, event) for consumer, held in consumers().items() for event in held)


@cache
def document() -> dict[str, Any]:
    made: dict[str, Any] = asyncapi(Contracts(descriptors()))
    return made


def faults(envelope: dict[str, Any], event: str) -> list[str]:
    """What the document finds wrong with an envelope."""
    components = document()["components"]
    payload = components["messages"][event]["payload"]
    # References go to the components of the document, so these stand beside the schema.
    validator = jsonschema_rs.Draft7Validator({**payload, "components": components})
    return [error.message for error in validator.iter_errors(envelope)]


@pytest.mark.parametrize(("consumer", "event"), PROMISES)
def test_every_example_is_what_the_document_says(consumer: str, event: str) -> None:
    assert faults(example(consumer, event), event) == []


@pytest.mark.parametrize("event", sorted({event for _, event in PROMISES}))
def test_the_examples_of_the_document_are_what_it_says(event: str) -> None:
    for shown in document()["components"]["messages"][event]["examples"]:
        assert faults(shown["payload"], event) == []


def test_what_another_service_would_tell_is_found_wrong() -> None:
    """Only what every service tells may come from any of them."""
    sealed = example("privacy", "crm.event.v1.AuditSealed")
    assert faults(sealed | {"source": "/crm/sales"}, "crm.event.v1.AuditSealed") == []
    assert faults(sealed | {"source": "/crm/event"}, "crm.event.v1.AuditSealed")
    merged = example("privacy", "crm.customer.v1.CustomersMerged")
    assert faults(merged | {"source": "/crm/sales"}, "crm.customer.v1.CustomersMerged")
    assert faults(merged | {"data": {"links": "none"}}, "crm.customer.v1.CustomersMerged")
