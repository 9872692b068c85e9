"""Behind the gateway of a running installation: kill and hold its processes, look into its databases."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from crm_cli.local import status
from crm_cli.local.layout import SERVICES, Layout
from crm_cli.local.stack import ProcessInfo, StackInfo

# Seconds. A retry of an event may wait a minute.
PATIENCE = 180.0
_PAUSE = 0.1


class Behind:
    """What no client may do."""

    def __init__(self, stack: StackInfo) -> None:
        self._name = stack.name
        self._held = Layout.of(stack.name).held

    @property
    def stack(self) -> StackInfo:
        """As it is now."""
        return StackInfo.load(self._name)

    def kill(self, name: str) -> int:
        """SIGKILL; answers the pid that died."""
        pid = until(f"{name} runs", lambda: self._process(name).pid)
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def await_restart(self, name: str, dead: int) -> None:
        """Waits until the successor of process `dead` is ready."""
        until(
            f"{name} is ready again",
            lambda: self._process(name).pid not in (None, dead) and self._ready(name),
        )

    @contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """Inside, these processes are stopped and stay so; afterwards they are ready again."""
        self._held.mkdir(exist_ok=True)
        for name in names:
            (self._held / name).touch()
        try:
            for name in names:
                until(f"{name} is held", partial(self._is_down, name))
            yield
        finally:
            self.let_go()
            for name in names:
                until(f"{name} is back", partial(self._ready, name))

    def let_go(self) -> None:
        """Holds nothing any more."""
        for file in self._held.glob("*") if self._held.exists() else ():
            file.unlink()

    def await_well(self) -> None:
        """Waits until `crm status` finds nothing to complain about."""
        unwell = "not asked yet"
        deadline = time.monotonic() + PATIENCE
        while unwell:
            assert time.monotonic() < deadline, f"unwell after {PATIENCE:g} s: {unwell}"
            parts = status.collect(self.stack)
            unwell = "; ".join(f"{part.name}: {part.reason}" for part in parts if not part.well)

    def await_silence(self) -> None:
        """Waits until every event has been told and heard: nothing in an outbox, on a queue or in a retry."""
        waiting = "not asked yet"
        deadline = time.monotonic() + PATIENCE
        while waiting:
            assert time.monotonic() < deadline, f"events under way after {PATIENCE:g} s: {waiting}"
            waiting = ", ".join(self._under_way())

    def dead_letters(self) -> dict[str, int]:
        """How many there are, by queue."""
        return {
            part.name: part.facts["dead"]
            for part in status.collect(self.stack)
            if part.group == "queue" and part.facts.get("dead")
        }

    def rows(
        self, database: str, query: str, *parameters: Any, cluster: str = "main"
    ) -> list[tuple[Any, ...]]:
        """The answer of a database, asked as superuser."""
        with psycopg.connect(self.url(database, cluster)) as connection:
            return connection.execute(query, parameters).fetchall()

    def url(self, database: str, cluster: str = "main") -> str:
        """For libpq, as superuser."""
        return make_conninfo(self.stack.server(f"postgres-{cluster}").url, dbname=database)

    def log_files(self) -> list[Path]:
        return [path for path in Path(self.stack.folder, "logs").rglob("*") if path.is_file()]

    def _under_way(self) -> Iterator[str]:
        for service in SERVICES:
            [(told,)] = self.rows(service, "select count(*) from app.outbox")
            if told:
                yield f"{told} in the outbox of {service}"
        parts = [part for part in status.collect(self.stack) if part.group == "queue"]
        for part in parts:
            if "waiting" not in part.facts:
                yield f"{part.name}: {part.reason}"
            elif part.facts["waiting"] or part.facts["retrying"]:
                yield f"{part.name}: {part.facts}"

    def _process(self, name: str) -> ProcessInfo:
        return self.stack.process(name)

    def _is_down(self, name: str) -> bool:
        return self._process(name).pid is None

    def _ready(self, name: str) -> bool:
        info = self.stack
        process = info.process(name)
        probe = status.probe_of(info, process)
        return process.pid is not None and (probe is None or probe() is None)


def until(what: str, holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true answer of `holds`; the test fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"not so after {seconds:g} s: {what}"
        time.sleep(_PAUSE)
    return answer


def processes_of(info: StackInfo) -> list[psutil.Process]:
    """Every living process of an installation: below its supervisor, or at work in its folder."""
    marks = _marks(info)
    return [one for one in psutil.process_iter() if one.pid != os.getpid() and _belongs(one, info, marks)]


def _marks(info: StackInfo) -> Sequence[str]:
    note = Path(info.folder, "data-folder")
    return [info.folder, *([note.read_text("utf-8").strip()] if note.exists() else [])]


def _belongs(one: psutil.Process, info: StackInfo, marks: Sequence[str]) -> bool:
    with suppress(psutil.Error):
        if one.status() == psutil.STATUS_ZOMBIE:
            return False
        words = [*one.cmdline(), one.cwd(), *one.environ().values()]
        below = info.supervisor_pid in (one.pid, *(parent.pid for parent in one.parents()))
        return below or any(word == mark or f"{mark}/" in word for word in words for mark in marks)
    return False
