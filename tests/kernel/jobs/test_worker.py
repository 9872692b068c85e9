"""The jobs process: does what was deferred, goes on after a kill, stops in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from kernel.jobs.job import Job
from kernel.jobs.rescue import rescue
from kernel.jobs.worker import make_queue
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork
from tests.kernel.jobs.conftest import Process
from tests.support import servers
from tests.support.servers import eventually

Open = Callable[[], UnitOfWork]
Effects = Callable[[], list[str]]
Start = Callable[[], Process]

STEPS = 40


def value(app: App, statement: str) -> object:
    with app.engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


def test_jobs_timers_and_the_clock_work_and_the_process_stops_in_order(
    app: App, work: Open, effects: Effects, start: Start
) -> None:
    with work() as unit:
        unit.defer("greet", name="Li")
        unit.defer("stumble")
        unit.defer("refuse")
        unit.schedule("ring", "a", datetime.now(UTC) + timedelta(seconds=1))
    process = start()
    expected = ["attempt 1", "attempt 2", "greeted Li", "rang a", "refused"]
    eventually(lambda: effects() == expected)
    eventually(lambda: value(app, "select count(*) from effects where what = 'tick'"))
    assert process.stop() == 0
    # A refusal is final: not tried again, and kept for somebody to look at. There is no keyring here, for
    # which the audit's own check and the sweep of keys wait.
    left = value(
        app,
        "select array_agg(task_name || ' ' || status) from procrastinate_jobs"
        " where task_name not in ('tick', 'check_audit', 'sweep_keys')",
    )
    assert left == ["refuse failed"]


def test_a_killed_process_loses_no_job(app: App, work: Open, effects: Effects, start: Start) -> None:
    with work() as unit:
        unit.defer("walk", pause=0.1)
    first = start()
    eventually(lambda: value(app, "select count(*) from steps"))
    first.kill()
    start()
    eventually(lambda: "walk ended" in effects(), seconds=40)
    assert effects() == ["walk began", "walk began", "walk ended"]
    assert value(app, "select count(*) from steps") == STEPS


def test_a_stopped_process_interrupts_its_job_and_another_goes_on(
    app: App, work: Open, effects: Effects, start: Start
) -> None:
    with work() as unit:
        unit.defer("walk", pause=0.1)
    first = start()
    eventually(lambda: value(app, "select count(*) from steps"))
    assert first.stop() == 0
    assert "walk ended" not in effects()
    assert value(app, "select status from procrastinate_jobs where task_name = 'walk'") == "todo"
    start()
    eventually(lambda: "walk ended" in effects())


def test_the_process_outlives_the_absence_of_its_database(
    app: App, database_url: str, work: Open, effects: Effects, start: Start
) -> None:
    process = start()
    with work() as unit:
        unit.defer("greet", name="Li")
    eventually(lambda: effects() == ["greeted Li"])
    with servers.away(database_url):
        # Whoever was connected has been thrown out; that is enough to end the library's worker.
        app.engine.dispose()
    with work() as unit:
        unit.defer("greet", name="Wu")
        unit.schedule("ring", "a", datetime.now(UTC))
    eventually(lambda: effects() == ["greeted Li", "greeted Wu", "rang a"], seconds=40)
    assert process.stop() == 0


def test_only_jobs_of_dead_workers_are_rescued(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into procrastinate_workers (last_heartbeat)"
                " values (now()), (now() - interval '9 seconds')"
            )
        )
        connection.execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status, worker_id)"
                " select 'q', case id when 1 then 'alive' else 'dead' end, 'doing', id"
                " from procrastinate_workers"
            )
        )
    assert rescue(app.engine) == 1
    assert value(app, "select task_name from procrastinate_jobs where status = 'todo'") == "dead"
    assert rescue(app.engine) == 0


def test_a_job_that_kills_its_workers_is_given_up(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status, attempts)"
                " values ('q', 'deadly', 'doing', 10)"
            )
        )
    rescue(app.engine)
    assert value(app, "select status from procrastinate_jobs") == "failed"


def test_a_rescued_job_does_not_stand_in_the_way_of_one_that_waits(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status, queueing_lock) values"
                " ('q', 'sweep', 'doing', 'sweep'), ('q', 'sweep', 'doing', 'sweep'),"
                " ('q', 'sweep', 'todo', 'sweep')"
            )
        )
    assert rescue(app.engine) == 2
    assert value(app, "select count(*) from procrastinate_jobs where status = 'todo'") == 3


def test_two_jobs_of_one_name_are_refused(app: App) -> None:
    job = Job("greet", lambda running: None)
    with pytest.raises(ValueError):
        make_queue(app, [job, job])
