"""Steps are made ready by a thread or by a process; what is stored is the same."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil
import pytest

from customer.domain.importing import runs
from customer.domain.importing.runs import Counts, Import, State
from customer.jobs import preparing
from customer.jobs.preparing import PreparerFailed, prepared, steps_of
from customer.usecases.imports.prepare_steps import Share, Step
from customer.wiring import CustomerApp
from tests.customer.importing.people import confirmed, csv_of, importer, rows_of, started, worked_on


@pytest.fixture
def run(app: CustomerApp, monkeypatch: pytest.MonkeyPatch) -> Import:
    """An import whose trial was confirmed, of a file with refused rows and one id twice."""
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", 1)
    rows = rows_of(2100, 250)
    rows[3] = (*rows[3][:4], "never", *rows[3][5:])
    begun = started(app, importer(), csv_of([*rows, rows[0]]))
    return replace(begun, state=State.RUNNING)


def test_a_process_makes_the_steps_that_a_thread_makes(app: CustomerApp, run: Import) -> None:
    with prepared(app, run, processes=1) as steps:
        theirs = [(described(step), read) for step, read in steps]
    assert theirs == [(described(step), read) for step, read in steps_of(app, run)]


# Of 240 rows: a last step with rows in it or an empty one, made by the one or by the other.
@pytest.mark.parametrize("size", [50, 60, 70, 80])
def test_two_shares_are_what_one_alone_makes(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(runs, "CHUNK_ROWS", size)
    begun = started(app, importer(), csv_of(rows_of(2103, 250)[:240]))
    run = replace(begun, state=State.RUNNING)
    shared = [step for place in range(2) for step, _ in steps_of(app, run, Share(place, 2))]
    assert sorted(map(passage, shared)) == [passage(step) for step, _ in steps_of(app, run)]


def test_rows_of_one_external_id_that_two_processes_made_ready_come_in_once(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", 1)
    me = importer()
    rows = [(str(number), f"王{number}", *[""] * 7) for number in range(2800)]
    begun = started(app, me, csv_of([*rows, rows[200]]))
    worked_on(app)
    confirmed(app, me, begun.id)
    worked_on(app)
    with app.work(me) as work:
        done = work.imports.hold(begun.id)
    assert (done.state, done.counts) == (State.DONE, Counts(read=2801, created=2800, unchanged=1))


def test_a_customer_that_crossed_compares_as_it_was(app: CustomerApp, run: Import) -> None:
    with prepared(app, run, processes=1) as steps:
        [(step, _)] = list(steps)
    [(own, _)] = list(steps_of(app, run))
    assert [traits_of(step, place) for place in range(len(step.batch))] == [
        traits_of(own, place) for place in range(len(own.batch))
    ]


def test_a_process_that_was_killed_is_noticed(app: CustomerApp, run: Import) -> None:
    with prepared(app, run, processes=1) as steps:
        os.kill(awaited_child(), signal.SIGKILL)
        with pytest.raises(PreparerFailed):
            list(steps)


def test_a_small_file_starts_no_process(
    app: CustomerApp, run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", run.bytes_total + 1)
    with prepared(app, run, processes=1) as steps:
        next(steps)
        assert children() == []


def described(step: Step) -> dict[str, Any]:
    """What does not differ from one making to the next: neither ids nor seals."""
    batch: Any = step.batch
    return {
        "place": (step.after, step.read, step.at_end, step.unchanged),
        "refused": step.refused,
        "customers": (batch.lines, batch.near, batch.keys, batch.places, batch.capped, batch.owner_id),
        "told": [replace(told, customer_id=None) for told in batch.recorded()],
        "sizes": {table: len(rows) for table, rows in batch.copies.items()},
    }


def passage(step: Step) -> tuple[Any, ...]:
    """Which rows of the file a step holds."""
    return step.after, step.read, step.at_end, list(step.batch.lines), [row.line for row in step.refused]


def traits_of(step: Step, place: int) -> Any:
    return step.batch.party(place).traits


def children() -> list[int]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "customer.jobs.preparing" in child.cmdline():
                found.append(child.pid)
    return found


def awaited_child() -> int:
    while not (found := children()):
        threading.Event().wait(0.01)
    return found[0]
