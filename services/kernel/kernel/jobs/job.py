"""What a job is: long work that a service's jobs process does, outside of any request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate

from procrastinate.exceptions import JobAborted

from kernel.jobs.deferral import check_name
from kernel.pure.grants import Principal

if TYPE_CHECKING:
    from kernel.sql.app import App
    from kernel.sql.uow import UnitOfWork


def as_it_was(principal: Principal) -> Principal:
    """For jobs that do nothing on behalf of anybody."""
    return principal


@dataclass(frozen=True)
class Running:
    """What the body of a job is given."""

    app: App
    # 1 the first time; interruptions by a shutdown count too.
    attempt: int
    # Whether the process is about to end, or somebody cancelled the job.
    should_stop: Callable[[], bool]
    # A principal whose work this goes on with, as it is now: to be asked before each step.
    present: Callable[[Principal], Principal] = as_it_was

    def work(self) -> UnitOfWork:
        """A new unit of work, on behalf of the service: one for each chunk."""
        return self.app.work(Principal.service(self.app.service))

    def checkpoint(self) -> None:
        """Ends the job here when it should stop; it starts again in another process.

        To be called after each chunk, when its progress is saved.
        """
        if self.should_stop():
            raise JobAborted


# Called with what is running and the arguments the job was deferred with.
Body = Callable[Concatenate[Running, ...], None]


@dataclass(frozen=True)
class Job:
    """A kind of job of a service.

    `run` is idempotent, works in chunks and calls `running.checkpoint()` between them: a killed
    process's jobs start again from their beginning. It is tried `attempts` times in all, after
    1 s, 10 s, 1 min and then each 10 min; an error that waiting can't mend ends it at once.
    `every` is a cron expression in UTC (a sixth field is seconds) for jobs that the clock starts,
    on one replica at a time; these take no arguments.
    """

    name: str
    run: Body
    attempts: int = 5
    every: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.attempts < 1:
            raise ValueError("a job is tried once at least")
