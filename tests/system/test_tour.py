"""`crm tour` on the running system: people and orders of a real shop, through the gateway only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from crm_cli.local.stack import StackInfo
from crm_cli.tour import febrl, feed, finding, seeing
from tests.system.behind import Behind
from tests.system.conftest import Tell
from tests.system.traces import dump, phones, search_many, traces

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


def test_a_merge_taken_back_loses_nothing_and_each_sees_their_share(tour: Tour) -> None:
    seen = {name: tour.seen(name) for name in ("un-merged and merged again", "who sees what")}
    assert seen == {"un-merged and merged again": "nothing lost", "who sees what": "each their share"}


def test_what_a_manager_reveals_is_audited_with_the_reason(tour: Tour, behind: Behind) -> None:
    query = "select facts from app.audit where action = 'reveal' and object_type = 'customer'"
    reasons = [facts["reason"] for (facts,) in behind.rows("customer", query)]
    assert seeing.REASON in reasons


def test_nobody_of_the_tour_is_readable_at_rest(
    tour: Tour, behind: Behind, tell: Tell, tmp_path: Path
) -> None:
    """Databases, queues, Redis and logs, after uploads, imports, merges, searches and reveals."""
    behind.await_silence()
    secret = traces(_secrets())
    redis_content = tmp_path / "redis"
    with redis.Redis.from_url(behind.stack.server("redis").url) as client:
        content = [key + b"\n" + (client.dump(key) or b"") for key in client.scan_iter()]
        redis_content.write_bytes(b"\n".join(content))
    where = [
        dump(behind, "main", tmp_path),
        dump(behind, "keyring", tmp_path),
        redis_content,
        *filter(Path.is_file, Path(behind.stack.folder, "rabbitmq").rglob("*")),
        *behind.log_files(),
    ]
    tell(f"tour: {len(secret):,} traces of its people sought")
    assert {f"{secret[trace]} in {name}" for trace, name in search_many(secret, where)} == set()


def _secrets() -> dict[str, set[str]]:
    """Everything the tour tells of its people that is not declared to be in clear."""
    rows, fed = febrl.read(), feed.people(2357)
    numbers = {phone for row in rows for phone in row.phones} | {person.phone for person in fed}
    national = {febrl.e164(number).removeprefix("+86") for number in numbers} | {
        phone.removeprefix("+86") for phone in finding.PHONES.values()
    }
    # A number that begins like this looks like a time; one of a house has no form of a mobile's.
    mobile = {number for number in national if len(number) == 11 and not number.startswith("17")}
    return {
        "full name": {row.full_name for row in rows if " " in row.full_name}
        # Hex of shorter names would be found by chance.
        | {name for name in (*(who.full_name for who in fed), *finding.PEOPLE.values()) if len(name) > 2},
        "phone": {written for number in mobile for written in phones(number)},
        "e-mail": {row.email for row in rows if row.email} | {person.email for person in fed},
        "birth date": {f"{row.born[:4]}-{row.born[4:6]}-{row.born[6:]}" for row in rows if row.born},
        "street line": {", ".join(row.street_lines) for row in rows if len(row.street_lines) > 1},
    }
