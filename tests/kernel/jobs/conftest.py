"""A database and an app for a test; jobs processes on demand."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.pure.grants import Principal
from kernel.sql.app import App
from kernel.sql.uow import UnitOfWork
from tests.support import servers

_PROCESS = Path(__file__).with_name("process.py")


class Sales(App):
    service = "sales"


@pytest.fixture
def database_url() -> Iterator[str]:
    with servers.database() as url:
        yield url


@pytest.fixture
def app(database_url: str) -> Iterator[App]:
    app = Sales(servers.settings(database_url))
    with app.engine.begin() as connection:
        connection.execute(text("create table effects (what text not null)"))
        connection.execute(text("create table steps (step integer primary key)"))
    yield app
    app.close()


@pytest.fixture
def work(app: App) -> Callable[[], UnitOfWork]:
    """Opens units of work."""
    return lambda: app.work(Principal.service("sales"))


@pytest.fixture
def effects(app: App) -> Callable[[], list[str]]:
    """What has been done so far, sorted."""

    def read() -> list[str]:
        with app.engine.connect() as connection:
            return sorted(connection.execute(text("select what from effects where what <> 'tick'")).scalars())

    return read


class Process:
    """A jobs process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._running = subprocess.Popen([sys.executable, str(_PROCESS)], env=environment)

    def kill(self) -> None:
        """kill -9."""
        self._running.kill()
        self._running.wait()

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(timeout=25)

    def clean_up(self) -> None:
        if self._running.poll() is None:
            self.kill()


@pytest.fixture
def start(app: App, database_url: str) -> Iterator[Callable[[], Process]]:
    """Starts jobs processes."""
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(servers.environment(database_url, "amqp://unused.invalid/")))
        return started[-1]

    yield begin
    for process in started:
        process.clean_up()
