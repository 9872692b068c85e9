"""Stopping an import: what was stored stays, and nothing follows."""

from __future__ import annotations

import pytest

from customer.domain.importing import runs
from customer.domain.importing.errors import ImportState
from customer.domain.importing.runs import Import, State
from customer.jobs.import_customers import import_customers
from customer.usecases.imports.start_import import cancel_import, confirm_import
from customer.wiring import CustomerApp
from kernel.jobs.job import Running
from kernel.pure.grants import Principal
from tests.customer.importing.people import confirmed, csv_of, importer, rows_of, started, worked_on
from tests.customer.importing.test_import_customers import after, count


def cancelled(app: CustomerApp, me: Principal, run: Import) -> Import:
    with app.work(me) as work:
        return cancel_import(work, run.id)


def test_before_its_trial_nothing_is_stored(app: CustomerApp) -> None:
    me = importer()
    run = started(app, me, csv_of(rows_of(2300, 20)))
    cancelled(app, me, run)
    worked_on(app)
    assert (after(app, run.id).state, count(app, "customers")) == (State.CANCELLED, 0)


def test_after_its_trial_the_hundred_rows_stay(app: CustomerApp) -> None:
    me = importer()
    run = started(app, me, csv_of(rows_of(2301, 120)))
    worked_on(app)
    cancelled(app, me, run)
    worked_on(app)
    stopped = after(app, run.id)
    assert (stopped.state, stopped.counts.read, count(app, "customers")) == (State.CANCELLED, 100, 100)
    assert stopped.ended_at == app.clock.now()


def test_while_it_is_stored_it_stops_behind_the_rows_of_the_step(
    app: CustomerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "CHUNK_ROWS", 50)
    me = importer()
    run = started(app, me, csv_of(rows_of(2302, 300)))
    worked_on(app)
    confirmed(app, me, run.id)

    def looked() -> bool:
        """The job asks after each step whether it should end; by then somebody has cancelled."""
        if after(app, run.id).counts.read > 100 and after(app, run.id).state is State.RUNNING:
            cancelled(app, me, run)
        return False

    import_customers(Running(app, 1, looked))
    stopped = after(app, run.id)
    assert (stopped.state, stopped.counts.read) == (State.CANCELLED, 150)
    assert count(app, "customers") == stopped.counts.created + stopped.counts.merged


def test_a_second_time_it_changes_nothing_and_what_is_over_is_not_cancelled(app: CustomerApp) -> None:
    me = importer()
    run = started(app, me, csv_of(rows_of(2303, 5)))
    first = cancelled(app, me, run)
    assert cancelled(app, me, run) == first
    with app.work(me) as work, pytest.raises(ImportState):
        confirm_import(work, run.id)
    other = started(app, me, csv_of(rows_of(2304, 5)))
    worked_on(app)
    confirmed(app, me, other.id)
    worked_on(app)
    assert after(app, other.id).state is State.DONE
    with app.work(me) as work, pytest.raises(ImportState):
        cancel_import(work, other.id)
