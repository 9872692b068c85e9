"""`crm tour` on the running system: people and orders of a real shop, and a customer's whole life, through
the gateway only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from crm_cli.local.stack import StackInfo
from crm_cli.tour import febrl, feed, finding, seeing
from crm_cli.tour.life.leaving import leaver
from crm_cli.tour.people import MadeUpPerson
from tests.system.behind import Behind
from tests.system.conftest import Tell
from tests.system.traces import dump, phones, search, traces, traces_of

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


def test_leads_are_scored_given_out_and_sold_to_a_signed_contract(tour: Tour) -> None:
    seen = {
        "leads of those who bought least": {"found to be themselves": 5},
        "scored; hot ones are opportunities": {"hot": 2, "opportunities": 2, "explained": 1},
        "given to sellers by region": {"sellers": 2, "shared evenly": 1, "by region": 1},
        "not followed up: given to another": "returned",
        "six stages, with the gate": {"refused at the gate": 1, "after sales": 1},
        "a contract": "PDF, 19200.00 CNY, signature valid",
    }
    assert {name: tour.seen(name) for name in seen} == seen


def test_a_complaint_by_mail_is_linked_routed_answered_in_time_and_surveyed(tour: Tour) -> None:
    seen = {
        "a complaint by mail is a ticket": {
            "complaints": 1, "by rule to the team": 1, "with an agent": 1, "clocks of 1, 24, 48 h": 1,
        },
        "said again by phone: the same ticket": {"linked": 1, "same concern": 1, "messages": 2},
        "answered in time, by mail": {"sent": 2, "read": 2, "clocks met": 3, "clocks run out": 0},
        "closed: a survey by mail": {"closed": 1, "satisfaction": 5, "NPS": 9},
    }  # fmt: skip
    assert {name: tour.seen(name) for name in seen} == seen


def test_a_campaign_reaches_the_half_that_consents_but_whoever_withdraws(tour: Tour) -> None:
    group, consents = tour.steps["a group by rule"], tour.steps["half of it consents"]
    campaign = tour.steps["a campaign, a withdrawal in the middle"]
    assert group["count"] == group["actual"]["fit"] > 500
    assert consents["actual"]["consented"] == (group["count"] + 1) // 2
    assert campaign["actual"]["audience"] == group["count"]
    # One withdrew before their turn.
    assert campaign["count"] == consents["actual"]["consented"] - 1


def test_who_asks_for_it_is_forgotten_by_every_service_and_counts_on(tour: Tour) -> None:
    known = {"known as one": 1, "found": 1, "classes": 2}
    assert tour.seen("somebody buys, asks, is a lead") == known
    assert tour.seen("they are forgotten, on request") == {"answered": 5, "verified": 5, "others": 0}
    assert tour.seen("the certificate, by the pinned key") == "holds"
    assert set(tour.seen("nothing of them is found").values()) == {0}
    assert tour.seen("they count on in statistics") == "as before"


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
    gone = _forgotten(behind)
    assert gone, "nobody of the tour was forgotten"
    secret = traces(_secrets())
    for person in gone:
        secret |= {trace: f"{name} of a forgotten one" for trace, name in traces_of(person).items()}
    redis_content = tmp_path / "redis"
    with redis.Redis.from_url(behind.stack.server("redis").url) as client:
        content = [key + b"\n" + (client.dump(key) or b"") for key in client.scan_iter()]
        redis_content.write_bytes(b"\n".join(content))
    where = [
        dump(behind, "main", tmp_path),
        dump(behind, "keyring", tmp_path),
        redis_content,
        Path(behind.stack.folder, "rabbitmq"),
        *behind.log_files(),
    ]
    tell(f"tour: {len(secret):,} traces of its people sought")
    assert search(secret, where) == []


def _forgotten(behind: Behind) -> list[MadeUpPerson]:
    """Who was forgotten, by the letters in their own mailboxes."""
    written = re.compile(rb"leaving-([0-9a-f]{12})@example\.com")
    files = Path(behind.stack.folder, "mailbox").glob("*.eml")
    marks = {found[1].decode() for file in files if (found := written.search(file.read_bytes()))}
    return [leaver(mark) for mark in sorted(marks)]


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
