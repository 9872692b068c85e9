"""Timers fire once, in one transaction with their effect, on whichever replica comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from kernel.jobs.timers import BATCH, fire_due
from kernel.sql.app import App
from kernel.sql.timers import Timer
from kernel.sql.uow import UnitOfWork

Open = Callable[[], UnitOfWork]
Effects = Callable[[], list[str]]

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def ring(work: UnitOfWork, timers: Sequence[Timer]) -> None:
    for timer in timers:
        work.session.execute(text("insert into effects (what) values (:what)"), {"what": f"rang {timer.key}"})


def rows(app: App) -> list[tuple[str, int, str | None]]:
    with app.engine.connect() as connection:
        found = connection.execute(text("select key, attempts, last_error from timers order by key"))
        return [(row.key, row.attempts, row.last_error) for row in found]


def test_three_loops_fire_each_timer_once(app: App, work: Open, effects: Effects) -> None:
    with work() as unit:
        for number in range(1_200):
            unit.schedule("ring", f"{number:04}", PAST)

    def fire_all() -> None:
        # A pass of 0 means that others hold what is left; all is gone when the table is empty.
        while rows(app):
            fire_due(app, {"ring": ring})

    threads = [threading.Thread(target=fire_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert effects() == [f"rang {number:04}" for number in range(1_200)]


def test_a_batch_has_at_most_five_hundred_timers_the_most_overdue_first(app: App, work: Open) -> None:
    seen: list[list[str]] = []
    with work() as unit:
        for number in range(BATCH + 1):
            unit.schedule("ring", f"{number:04}", PAST - timedelta(seconds=number))
    fire_due(app, {"ring": lambda _, timers: seen.append([timer.key for timer in timers])})
    assert [len(keys) for keys in seen] == [BATCH]
    assert seen[0][0] == f"{BATCH:04}"
    assert [key for key, *_ in rows(app)] == ["0000"]


def test_a_timer_never_fires_early(app: App, work: Open) -> None:
    with work() as unit:
        unit.schedule("ring", "a", PAST + timedelta(days=1))
    assert fire_due(app, {"ring": ring}, now=PAST) == 0
    assert fire_due(app, {"ring": ring}, now=PAST + timedelta(days=1)) == 1


def test_a_cancelled_timer_does_not_fire(app: App, work: Open, effects: Effects) -> None:
    with work() as unit:
        unit.schedule("ring", "a", PAST)
        unit.cancel("ring", "a")
    assert fire_due(app, {"ring": ring}) == 0
    assert effects() == []


def test_a_handler_may_set_its_timer_again(app: App, work: Open) -> None:
    with work() as unit:
        unit.schedule("ring", "a", PAST)
    later = PAST + timedelta(days=36_500)
    fire_due(app, {"ring": lambda unit, timers: unit.schedule("ring", timers[0].key, later)})
    assert rows(app) == [("a", 0, None)]
    assert fire_due(app, {"ring": ring}) == 0


def test_the_payload_comes_back(app: App, work: Open) -> None:
    seen: list[Timer] = []
    with work() as unit:
        unit.schedule("ring", "a", PAST, {"step": 3})
    fire_due(app, {"ring": lambda _, timers: seen.extend(timers)})
    assert seen == [Timer("ring", "a", PAST, {"step": 3})]


def test_one_bad_timer_is_put_off_and_the_others_fire(app: App, work: Open, effects: Effects) -> None:
    def choosy(unit: UnitOfWork, timers: Sequence[Timer]) -> None:
        ring(unit, timers)
        if any(timer.key == "bad" for timer in timers):
            raise KeyError("bad")

    with work() as unit:
        for key in ("a", "bad", "c"):
            unit.schedule("ring", key, PAST)
    fire_due(app, {"ring": choosy}, now=PAST)
    assert effects() == ["rang a", "rang c"]
    assert rows(app) == [("bad", 1, "KeyError")]
    # It waits now, so that nothing is due.
    assert fire_due(app, {"ring": choosy}, now=PAST) == 0


def test_a_timer_of_a_kind_that_only_newer_code_knows_is_left_alone(app: App, work: Open) -> None:
    with work() as unit:
        unit.schedule("unknown", "a", PAST)
    assert fire_due(app, {"ring": ring}) == 0
    assert rows(app) == [("a", 0, None)]


def test_a_failed_effect_leaves_nothing_behind(app: App, work: Open, effects: Effects) -> None:
    def fail(unit: UnitOfWork, timers: Sequence[Timer]) -> None:
        ring(unit, timers)
        raise ZeroDivisionError

    with work() as unit:
        unit.schedule("ring", "a", PAST)
    for _ in range(3):
        fire_due(app, {"ring": fail}, now=PAST)
    assert effects() == []
    assert rows(app) == [("a", 1, "ZeroDivisionError")]


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 10), (3, 60), (4, 600), (5, 3_600), (6, 3_600)])
def test_waits_grow_to_an_hour(app: App, work: Open, attempt: int, seconds: int) -> None:
    def fail(_: UnitOfWork, __: Sequence[Timer]) -> None:
        raise ZeroDivisionError

    with work() as unit:
        unit.schedule("ring", "a", PAST)
    with app.engine.begin() as connection:
        connection.execute(text("update timers set attempts = :n"), {"n": attempt - 1})
    fire_due(app, {"ring": fail})
    with app.engine.connect() as connection:
        wait = connection.execute(text("select due_at - now() from timers")).scalar_one()
    assert timedelta(seconds=seconds - 30) < wait <= timedelta(seconds=seconds)
