"""Who hears an event in the code is who has an example of it in the contracts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.house import SERVICES
from tests.contracts.examples import consumers

# In a process of its own: subscriptions load eventlet, which has no place beside grpc.
SCRIPT = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
from kernel.bus.entrypoint import subscriptions
service = sys.argv[1]
module = importlib.import_module(f"{service}.events.subscriptions")
classes = [member for member in vars(module).values() if isinstance(member, type)]
heard = {one.event_type for found in classes for one in subscriptions(service, found)}
print(json.dumps(sorted(heard)))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_an_example_of_each_event_it_hears_and_of_no_other(service: str) -> None:
    """Deleting a file is the only way to drop a promise; a handler without one trusts its luck."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, service], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert set(json.loads(run.stdout)) == consumers().get(service, set())
