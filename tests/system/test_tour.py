"""`crm tour` on the running system: people and orders of a real shop, through the gateway only."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from crm_cli.local.stack import StackInfo
from tests.system.conftest import Tell

_LONGEST = 600  # seconds


class Tour:
    """The answer of one run."""

    def __init__(self, stack: StackInfo) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "crm_cli", "tour", "--stack", stack.name, "--json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LONGEST, check=False,
        )  # fmt: skip
        self.exit_code = done.returncode
        assert done.stdout.startswith("{"), f"no answer, exit code {done.returncode}: {done.stderr[-2000:]}"
        self.answer: dict[str, Any] = json.loads(done.stdout)
        self.steps = {step["name"]: step for step in self.answer["steps"]}

    def seen(self, name: str) -> Any:
        """What came out of a step."""
        assert name in self.steps, f"the tour ended before {name!r}: {list(self.steps)}"
        return self.steps[name]["actual"]


@pytest.fixture(scope="module")
def tour(stack: StackInfo, tell: Tell) -> Tour:
    taken = Tour(stack)
    for step in taken.steps.values():
        tell(f"tour: {step['name']}: {step['seconds']:.1f} s, {step['actual']}")
    return taken


def test_the_tour_ends_well(tour: Tour) -> None:
    wrong = [step for step in tour.answer["steps"] if not step["ok"]]
    assert (tour.exit_code, tour.answer["ok"], wrong) == (0, True, [])


@pytest.mark.feature("X-04")
def test_every_order_of_the_erp_stands_in_the_customers_records(tour: Tour) -> None:
    """Sent once, again, and shuffled with stale versions: the same figures each time."""
    figures = {"customers": 2357, "orders": 6919, "CNY": 24_409_194}
    names = (
        "views show the feed",
        "views after the same again",
        "views after the shuffle",
        "views at the end",
    )
    assert {name: tour.seen(name) for name in names} == dict.fromkeys(names, figures)


def test_spend_tiers_are_those_that_research_knows(tour: Tour) -> None:
    known = {"core": 5, "important": 78, "basic": 193, "minor": 536, "dormant": 1545}
    assert [tour.seen("spend tiers"), tour.seen("spend tiers at the end")] == [known, known]


@pytest.mark.feature("C-21")
def test_rfm_classes_are_those_of_an_independent_computation(tour: Tour) -> None:
    step = tour.steps["RFM classes at the end"]
    assert step["actual"] == step["expected"]
    assert set(step["actual"]) == {"high_value", "potential", "general", "churn_warning"}


def test_the_tour_taken_again_ends_the_same(tour: Tour, stack: StackInfo) -> None:
    again = Tour(stack)
    wrong = [step for step in again.answer["steps"] if not step["ok"]]
    assert (again.exit_code, wrong) == (0, [])
    measured = {"an order shows in the view", "refusals by gRPC and JSON"}
    assert {n: again.seen(n) for n in again.steps if n not in measured} == {
        n: tour.seen(n) for n in tour.steps if n not in measured
    }
