"""A jobs process for tests, over a database with table effects."""

import time
from collections.abc import Sequence

from sqlalchemy import text

from kernel.jobs.job import Job, Running
from kernel.jobs.worker import main
from kernel.ops.settings import Settings
from kernel.pure.errors import Precondition, Unavailable
from kernel.sql.app import App
from kernel.sql.timers import Timer
from kernel.sql.uow import UnitOfWork

STEPS = 40


class Sales(App):
    service = "sales"

    def check_store(self) -> str | None:
        return None


class Away(Unavailable):
    reason = "AWAY"
    en = "away"
    zh = "不在"


class Never(Precondition):
    reason = "NEVER"
    en = "never"
    zh = "绝不"


def note(work: UnitOfWork, what: str) -> None:
    work.session.execute(text("insert into effects (what) values (:what)"), {"what": what})


def greet(running: Running, *, name: str) -> None:
    with running.work() as work:
        note(work, f"greeted {name}")


def walk(running: Running, *, pause: float) -> None:
    """Many steps, each noted once; goes on where it was."""
    with running.work() as work:
        note(work, "walk began")
    for step in range(STEPS):
        with running.work() as work:
            work.session.execute(
                text("insert into steps (step) values (:step) on conflict do nothing"), {"step": step}
            )
        running.checkpoint()
        time.sleep(pause)
    with running.work() as work:
        note(work, "walk ended")


def stumble(running: Running) -> None:
    with running.work() as work:
        note(work, f"attempt {running.attempt}")
    if running.attempt < 2:
        raise Away


def refuse(running: Running) -> None:
    with running.work() as work:
        note(work, "refused")
    raise Never


def ring(work: UnitOfWork, timers: Sequence[Timer]) -> None:
    for timer in timers:
        note(work, f"rang {timer.key}")


def tick(running: Running) -> None:
    """Fails the first time, while the next one waits already."""
    if running.attempt == 1:
        time.sleep(1.1)
        raise Away
    with running.work() as work:
        note(work, "tick")


if __name__ == "__main__":
    main(
        Sales(Settings()),
        jobs=[
            Job("greet", greet),
            Job("walk", walk),
            Job("stumble", stumble),
            Job("refuse", refuse),
            Job("tick", tick, every="* * * * * *"),
        ],
        timers={"ring": ring},
    )
