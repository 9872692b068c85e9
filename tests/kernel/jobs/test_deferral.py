"""Jobs are deferred in the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib import resources
from uuid import UUID

import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from kernel.jobs import deferral
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork

Open = Callable[[], UnitOfWork]


def queued(app: App) -> list[tuple[str, dict[str, object]]]:
    with app.engine.connect() as connection:
        rows = connection.execute(text("select task_name, args from procrastinate_jobs order by id"))
        return [(row.task_name, row.args) for row in rows]


def test_a_job_comes_with_the_commit_of_its_caller(app: App, work: Open) -> None:
    with work() as unit:
        unit.defer("greet", name="Li")
        assert queued(app) == []
    assert queued(app) == [("greet", {"name": "Li"})]


def test_a_job_goes_with_the_rollback_of_its_caller(app: App, work: Open) -> None:
    unit = work()
    with unit:
        unit.defer("greet", name="Li")
        unit.session.rollback()
    assert queued(app) == []


def test_ids_days_and_amounts_become_text(app: App, work: Open) -> None:
    with work() as unit:
        unit.defer("greet", id=UUID(int=1), on=date(2026, 2, 3), amount=Decimal("1.50"))
    expected = {"id": str(UUID(int=1)), "on": "2026-02-03", "amount": "1.50"}
    assert queued(app) == [("greet", expected)]


def test_a_job_that_waits_already_is_not_added_and_the_caller_goes_on(app: App, work: Open) -> None:
    with work() as unit:
        assert deferral.defer(unit.session, "greet", {"name": "Li"}, queueing_lock="one")
        assert not deferral.defer(unit.session, "greet", {"name": "Wu"}, queueing_lock="one")
        unit.defer("greet", name="Xu")
    assert [arguments["name"] for _, arguments in queued(app)] == ["Li", "Xu"]


def test_a_name_that_the_queue_can_not_carry_is_refused(work: Open) -> None:
    with work() as unit, pytest.raises(ValueError):
        unit.defer("x" * 41)


def test_the_frozen_schema_is_that_of_the_installed_library() -> None:
    ours = resources.files("kernel.sql").joinpath("ddl", "0002_jobs.sql").read_text("utf-8")
    theirs = re.sub(
        r"RAISE '(.*)%\)', job_id;",
        r"RAISE EXCEPTION USING MESSAGE = '\1' || job_id || ')';",
        SchemaManager.get_schema(),
    )
    assert theirs in ours, "a newer library needs a migration of its own, from its sql/migrations"
