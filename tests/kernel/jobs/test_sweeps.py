"""The nightly sweeps delete what nobody can need any more, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from kernel.jobs import sweeps
from kernel.jobs.job import Running
from kernel.sql.app import App


def sweep(app: App, name: str, destroyed: list[date] | None = None) -> None:
    hook = None if destroyed is None else destroyed.append
    [job] = [job for job in sweeps.jobs(hook) if job.name == name]
    job.run(Running(app, 1, lambda: False))


def count(app: App, table: str) -> int:
    with app.engine.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def test_the_inbox_keeps_thirty_days(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into inbox (handler, event_id, handled_at)"
                " select 'h', gen_random_uuid(), now() - n * interval '1 day' from generate_series(1, 40) n"
            )
        )
    sweep(app, "prune_inbox")
    assert count(app, "inbox") in (29, 30)


def test_more_rows_than_a_chunk_are_all_deleted(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into inbox (handler, event_id, handled_at)"
                " select 'h', gen_random_uuid(), now() - interval '31 days' from generate_series(1, 12000)"
            )
        )
    sweep(app, "prune_inbox")
    assert count(app, "inbox") == 0


def test_answers_are_kept_for_two_days_and_then_the_keys_of_their_days_are_destroyed(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into idempotency (caller, method, request_id, request_mac, day, created_at)"
                " select 'c', 'm', gen_random_uuid(), '', (now() - n * interval '1 hour')::date,"
                "  now() - n * interval '1 hour' from unnest(array[1, 47, 49, 500]) n"
            )
        )
    destroyed: list[date] = []
    sweep(app, "prune_idempotency", destroyed)
    assert count(app, "idempotency") == 2
    # The day 48 hours ago still has answers.
    assert destroyed == [(datetime.now(UTC) - timedelta(hours=48)).date()]


def test_old_failed_jobs_go_and_waiting_ones_stay(app: App) -> None:
    with app.engine.begin() as connection:
        connection.execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status) values"
                " ('q', 'old', 'failed'), ('q', 'new', 'failed'), ('q', 'waiting', 'todo')"
            )
        )
        connection.execute(text("update procrastinate_events set at = now() - interval '40 days'"))
        connection.execute(
            text(
                "insert into procrastinate_events (job_id, type)"
                " select id, 'failed' from procrastinate_jobs where task_name = 'new'"
            )
        )
    sweep(app, "prune_jobs")
    with app.engine.connect() as connection:
        left = connection.execute(text("select task_name from procrastinate_jobs order by 1")).scalars().all()
    assert left == ["new", "waiting"]
