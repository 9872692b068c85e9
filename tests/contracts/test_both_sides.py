"""A contract binds because the tests of both sides read the same file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture import descriptors
from tests.architecture.house import ROOT, imports, python, text, tree
from tests.contracts.examples import COMPARED, NOBODY, consumers, promised, teller

HEARD = sorted(
    (consumer, event) for consumer, held in consumers().items() for event in held if consumer != NOBODY
)


def readers(service: str, reader: str) -> list[Path]:
    """The tests of a service that import `reader` from the examples, and use it."""
    return [
        path
        for path in python(ROOT / "tests" / service)
        if any(imported == f"tests.contracts.examples.{reader}" for _, imported in imports(tree(path)))
        and any(isinstance(node, ast.Name) and node.id == reader for node in ast.walk(tree(path)))
    ]


def reads(service: str, reader: str, event: str) -> bool:
    """Whether a test of the service reads the examples and speaks of the event."""
    name = event.rpartition(".")[2]
    return any(name in text(path) for path in readers(service, reader))


@pytest.mark.last
@pytest.mark.parametrize("event", sorted(descriptors.events()))
def test_the_producer_compares_what_it_says_with_the_examples(
    event: str, request: pytest.FixtureRequest
) -> None:
    """Otherwise the file shows what once was said. Every example, with something that was really said."""
    wanted = set(readers(teller(event), "promised"))
    assert wanted, "no test of the producer calls promised(…)"
    if not wanted <= {item.path for item in request.session.items} or request.config.option.keyword:
        # They are not part of this run: that they speak of the event is what can be seen.
        assert reads(teller(event), "promised", event)
        return
    missing = {(promise["type"], promise["id"]) for promise in promised(event)} - COMPARED
    assert not missing, "no test of the producer compared what it said with these"


@pytest.mark.parametrize(("consumer", "event"), HEARD)
def test_the_consumer_feeds_the_example_to_its_handler(consumer: str, event: str) -> None:
    """Otherwise the file shows what nobody understands."""
    assert reads(consumer, "example", event), "no test of the consumer calls example(…)"
