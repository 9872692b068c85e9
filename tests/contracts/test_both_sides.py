"""A contract binds because the tests of both sides read the same file."""

from __future__ import annotations

import ast

import pytest

from tests.architecture import descriptors
from tests.architecture.house import ROOT, imports, python, text, tree
from tests.contracts.examples import NOBODY, consumers, teller

HEARD = sorted(
    (consumer, event) for consumer, held in consumers().items() for event in held if consumer != NOBODY
)


def reads(service: str, reader: str, event: str) -> bool:
    """Whether a test of the service imports `reader` from the examples and speaks of the event."""
    name = event.rpartition(".")[2]
    return any(
        name in text(path)
        for path in python(ROOT / "tests" / service)
        if any(imported == f"tests.contracts.examples.{reader}" for _, imported in imports(tree(path)))
        and any(isinstance(node, ast.Name) and node.id == reader for node in ast.walk(tree(path)))
    )


@pytest.mark.parametrize("event", sorted(descriptors.events()))
def test_the_producer_compares_what_it_says_with_the_examples(event: str) -> None:
    """Otherwise the file shows what once was said."""
    assert reads(teller(event), "promised", event), "no test of the producer calls promised(…)"


@pytest.mark.parametrize(("consumer", "event"), HEARD)
def test_the_consumer_feeds_the_example_to_its_handler(consumer: str, event: str) -> None:
    """Otherwise the file shows what nobody understands."""
    assert reads(consumer, "example", event), "no test of the consumer calls example(…)"
