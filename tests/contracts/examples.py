"""The example files that the tests of producer and consumer both read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOBODY = "nobody_yet"
# Promises, as (event, id of the example), that something said was compared with in this run.
COMPARED: set[tuple[str, str]] = set()


def consumers() -> dict[str, set[str]]:
    """Which events each folder holds an example of, by the name of the consumer."""
    return {
        folder.name: {path.stem for path in folder.glob("*.json")}
        for folder in sorted(HERE.iterdir())
        if folder.is_dir() and any(folder.glob("*.json"))
    }


def example(consumer: str, event: str) -> dict[str, Any]:
    """The envelope `event` ("crm.sales.v1.OrdersRecorded") as promised to `consumer` ("customer")."""
    envelope: dict[str, Any] = json.loads((HERE / consumer / f"{event}.json").read_text(encoding="utf-8"))
    return envelope


def promised(event: str) -> list[dict[str, Any]]:
    """Every example of an event, for the producer's tests."""
    return [example(consumer, event) for consumer, held in consumers().items() if event in held]


def teller(event: str) -> str:
    """Whose code tells an event: the service of its package; the kernel what every service tells."""
    package = event.split(".")[1]
    return "kernel" if package == "event" else package


def same_shape(said: dict[str, Any], promise: dict[str, Any]) -> None:
    """Fails unless an envelope says nothing but what an example promises, in the same JSON types.

    Fields at their default are left out by canonical JSON, so the envelope may hold fewer.
    """
    assert said["type"] == promise["type"]
    assert said["source"] == promise["source"]
    assert set(said) == set(promise)
    extra = _shape(said["data"]) - _shape(promise["data"])
    assert not extra, f"{said['type']} says what no example promises: {sorted(extra)}"
    COMPARED.add((promise["type"], promise["id"]))


def _shape(value: Any, path: str = "") -> set[str]:
    """Path and JSON type of everything in a value; the members of a list share one path."""
    if isinstance(value, dict):
        return {entry for key, member in value.items() for entry in _shape(member, f"{path}.{key}")}
    if isinstance(value, list):
        return {entry for member in value for entry in _shape(member, f"{path}[]")}
    return {f"{path}: {type(value).__name__}"}
