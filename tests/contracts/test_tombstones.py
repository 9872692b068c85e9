"""What comes late about somebody who was erased leaves nothing, in whichever service it comes."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message
from prometheus_client import REGISTRY

from kernel.bus.entrypoint import subscriptions
from kernel.bus.envelope import parse
from kernel.ops.settings import Settings
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from kernel.sql import subjects
from kernel.sql.app import App
from tests.architecture import descriptors
from tests.contracts.examples import NOBODY, consumers, example
from tests.support.services import service

# Names of the fields by which events say whose data they carry.
NAMES = {"customer_id", "subject_id", "absorbed_id", "survivor_id", "subject_ids"}
# What privacy itself orders of a person must be heard after their erasure too.
ORDERS = {"crm.privacy.v1.SubjectsRestricted", "crm.privacy.v1.ErasureOrdered"}
# Tables that hold the way of an event, or whom to drop, and nothing of a person.
TRACES = {"inbox", "outbox", "erased_subjects", "audit", "audit_unsealed", "timers"}


def bears_subjects(event: str) -> bool:
    return any(str(field.name) in NAMES for field in descriptors.reachable(descriptors.events()[event]))


LATE = sorted(
    (consumer, event)
    for consumer, heard in consumers().items()
    for event in heard
    if consumer != NOBODY and event not in ORDERS and bears_subjects(event)
)


@cache
def subscribing(consumer: str) -> type:
    """The class with the handlers of a service."""
    module = importlib.import_module(f"{consumer}.events.subscriptions")
    [found] = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and member.__module__ == module.__name__
    ]
    return found


@pytest.fixture(scope="module")
def apps() -> Iterator[Any]:
    """Opens each service once, on databases of its own."""
    opened: dict[str, Any] = {}

    def app_of(consumer: str) -> App:
        if consumer not in opened:
            wiring = importlib.import_module(f"{consumer}.wiring")
            [kind] = [
                member
                for member in vars(wiring).values()
                if isinstance(member, type) and issubclass(member, App) and member is not App
            ]
            name = kind.__annotations__.get("settings", "Settings")
            own = getattr(importlib.import_module(f"{consumer}.config"), name, Settings)
            opening = service(kind, settings_class=own)
            opened[consumer] = (opening, opening.__enter__())
        app: App = opened[consumer][1]
        return app

    yield app_of
    for opening, _ in opened.values():
        opening.__exit__(None, None, None)


def named(value: Any, key: str = "") -> set[UUID]:
    """The ids of persons in the data of an example."""
    if isinstance(value, dict):
        return {one for name, member in value.items() for one in named(member, name)}
    if isinstance(value, list):
        return {one for member in value for one in named(member, key)}
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    return {UUID(value)} if snake in NAMES and value else set()


def dropped() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        if metric.name == "erased_subject_events"
        for sample in metric.samples
        if sample.name == "erased_subject_events_total"
    )


def mentions(app: App, ids: set[UUID]) -> set[str]:
    """The tables that hold one of these ids."""
    tables = app.reader.rows(
        "select table_name as name from information_schema.tables"
        " where table_schema = 'app' and table_type = 'BASE TABLE'"
    )
    wanted = {"ids": [f"%{one}%" for one in ids]}
    return {
        table.name
        for table in tables
        if table.name not in TRACES
        and app.reader.rows(f'select from "{table.name}" t where t::text like any(%(ids)s) limit 1', wanted)
    }


@pytest.mark.parametrize(("consumer", "event"), LATE)
def test_what_comes_late_about_the_erased_leaves_no_row_and_is_counted(
    apps: Any, consumer: str, event: str
) -> None:
    """Otherwise an event in a retry queue, or an old link in a mail, brings back who was erased."""
    app, body = apps(consumer), example(consumer, event)
    ids = named(body["data"])
    assert ids
    principal = Principal.service(consumer)
    with app.work(principal) as work:
        subjects.remember_erased(work, ids, new_id())
    message: type[Message] = descriptors.message_class(descriptors.events()[event])
    handlers = [
        one.handler.partition(".")[2]
        for one in subscriptions(consumer, subscribing(consumer))
        if one.event_type == event
    ]
    assert handlers
    for handler in handlers:
        before = dropped()
        envelope, told = parse(json.dumps(body), message)
        with app.work(principal) as work:
            getattr(subscribing(consumer)(), handler)(work, told, envelope)
        assert dropped() - before >= len(ids)
    assert mentions(app, ids) == set()


def test_whoever_was_not_erased_is_heard_of(apps: Any) -> None:
    """Nothing is left of the others above because they were dropped, not because nothing ever stays."""
    app, event = apps("sales"), "crm.customer.v1.CustomersRecorded"
    body = example("sales", event)
    gone, living = new_id(), new_id()
    first = body["data"]["customers"][0]
    body["data"]["customers"] = [first | {"customerId": str(gone)}, first | {"customerId": str(living)}]
    with app.work(Principal.service("sales")) as work:
        subjects.remember_erased(work, [gone], new_id())
    message: type[Message] = descriptors.message_class(descriptors.events()[event])
    envelope, told = parse(json.dumps(body), message)
    with app.work(Principal.service("sales")) as work:
        subscribing("sales")().follow_customers(work, told, envelope)
    assert mentions(app, {gone}) == set()
    assert mentions(app, {living}) == {"customers"}
