"""Who hears an event in the code is who has an example of it in the contracts."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.architecture.house import SERVICES
from tests.contracts.examples import NOBODY, consumers

# In a process of its own: subscriptions load eventlet, which has no place beside grpc.
SCRIPT = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
from kernel.bus.entrypoint import subscriptions
service = sys.argv[1]
module = importlib.import_module(f"{service}.events.subscriptions")
classes = [member for member in vars(module).values() if isinstance(member, type)]
heard = {one.event_type for found in classes for one in subscriptions(service, found)}
unheard = {message.DESCRIPTOR.full_name for message in module.nobody_yet}
print(json.dumps({"heard": sorted(heard), "nobody_yet": sorted(unheard)}))
"""


@cache
def said_by(service: str) -> dict[str, list[str]]:
    """The events that a service hears, and those it tells and nobody hears."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, service], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, list[str]] = json.loads(run.stdout)
    return answer


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_an_example_of_each_event_it_hears_and_of_no_other(service: str) -> None:
    """Deleting a file is the only way to drop a promise; a handler without one trusts its luck."""
    assert set(said_by(service)["heard"]) == consumers().get(service, set())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_the_events_that_nobody_hears_yet(service: str) -> None:
    """Its relay raises no alarm for these; for any other event without a queue it must."""
    own = {event for event in consumers().get(NOBODY, set()) if event.split(".")[1] == service}
    assert set(said_by(service)["nobody_yet"]) == own
