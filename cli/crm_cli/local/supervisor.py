"""Keeps processes alive, as Kubernetes would: what dies is started again after a growing pause."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from crm_cli.local.program import Program, leftovers

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds
_STEADY_AFTER = 10.0  # seconds after which a death counts as the first one again
_LEFTOVER_PATIENCE = 3.0  # seconds before the leftovers of a dead process are killed
_HOLD_PATIENCE = 10.0  # seconds a process that is to be held may take to stop
# Seconds a successor is ready before its predecessor is asked to go: callers have found it by then.
_READY_BEFORE = 3.0
_ROLL_PATIENCE = 30.0  # seconds a predecessor may take to finish what it has in hand
_LOG_LIMIT = 20 * 1024 * 1024  # bytes; the previous log is kept beside as .1


@dataclass
class Child:
    """A program and what has become of it."""

    program: Program
    # What takes its place without a gap: the same on other ports.
    twin: Program | None = None
    successor: subprocess.Popen[bytes] | None = None
    ready_at: float = 0.0  # of the successor; 0 while it is not
    leaving: subprocess.Popen[bytes] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0  # monotonic seconds
    pause: float = _FIRST_PAUSE
    due_at: float = 0.0
    died_at: float = 0.0
    session: int = 0
    restarts: int = 0
    last_exit: str = ""

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None


class Supervisor:
    """One thread starts, watches and restarts every program; `changed` is called by it after each change.

    A program with a file of its name in the folder `held` is stopped, and started when the file is gone.
    One with a file in `rolled` is replaced, as by a rolling update: its twin starts, is ready for a while,
    and only then the first is asked to go. The file goes when the first is gone.
    """

    def __init__(
        self, changed: Callable[[], None], held: Path | None = None, rolled: Path | None = None
    ) -> None:
        self._changed = changed
        self._held = held
        self._rolled = rolled
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._finish = threading.Event()
        self._idle = threading.Event()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def open(self) -> None:
        self._thread.start()

    def add(self, programs: Iterable[Program], twins: Iterable[Program] = ()) -> None:
        """Starts programs and keeps them alive from now on. `twins` bear the names of those they replace;
        one without a twin is stopped before it is started again."""
        by_name = {twin.name: twin for twin in twins}
        with self._lock:
            for program in programs:
                self._children[program.name] = Child(program, by_name.get(program.name))

    def children(self) -> list[Child]:
        with self._lock:
            return list(self._children.values())

    def child(self, name: str) -> Child:
        with self._lock:
            return self._children[name]

    def close(self, patience: float = 8.0) -> None:
        """Stops all, services before servers, within about `patience` seconds; leaves no process."""
        self._finish.set()
        if self._thread.is_alive():
            self._idle.wait()
        deadline = time.monotonic() + patience
        children = self.children()
        services = [one for one in children if one.program.kind != "server"]
        # epmd last: RabbitMQ takes leave of it.
        epmd = [one for one in children if one.program.name == "epmd"]
        servers = [one for one in children if one not in services and one not in epmd]
        _stop(services, min(deadline, time.monotonic() + patience * 0.6))
        _stop(servers, deadline)
        _stop(epmd, deadline)
        _kill(leftovers({child.session: child.program for child in children if child.session}))
        self._released.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        rotated_at = time.monotonic()
        while not self._finish.is_set():
            changed = [self._look_after(child) for child in self.children()]
            if any(changed):
                self._changed()
            if time.monotonic() - rotated_at > 10:
                rotated_at = time.monotonic()
                for child in self.children():
                    _rotate(child.program)
            self._finish.wait(0.1)
        self._idle.set()
        # The kernel would shoot the children as soon as the thread that started them ends.
        self._released.wait()

    def _look_after(self, child: Child) -> bool:
        """One glance at a child; whether its state changed."""
        now = time.monotonic()
        if self._held and (self._held / child.program.name).exists():
            return _hold(child)
        if child.process is None:
            return now >= child.due_at and self._start(child, now)
        if self._rolled and (wish := self._rolled / child.program.name).exists():
            return _roll(child, wish, now)
        code = child.process.poll()
        if code is None:
            return False
        if now - child.started_at > _STEADY_AFTER:
            child.pause = _FIRST_PAUSE
        child.process, child.died_at, child.due_at = None, now, now + child.pause
        child.pause = min(child.pause * 2, _LONGEST_PAUSE)
        child.last_exit = _describe(code)
        return True

    def _start(self, child: Child, now: float) -> bool:
        """Starts it unless something of its predecessor still lives; whether it was started."""
        if child.session and (remains := leftovers({child.session: child.program})):
            if now - child.died_at > _LEFTOVER_PATIENCE:
                _kill(remains)
            return False
        try:
            child.process = child.program.spawn()
        except OSError as error:
            child.last_exit = str(error)
            child.due_at = now + _LONGEST_PAUSE
            return True
        child.restarts += 1 if child.session else 0
        child.session, child.started_at = child.process.pid, now
        return True


def _hold(child: Child) -> bool:
    """Stops a child that is to stay down for a while; whether its state changed."""
    if child.process is None:
        return False
    now = time.monotonic()
    _stop([child], now + _HOLD_PATIENCE)
    child.process, child.died_at, child.due_at, child.last_exit = None, now, 0.0, "held"
    child.successor = child.leaving = None
    return True


def _roll(child: Child, wish: Path, now: float) -> bool:
    """One step of replacing a living child; whether its state changed. `wish` goes when all is done."""
    if child.leaving is not None:
        if child.leaving.poll() is None and now < child.due_at:
            return False
        child.leaving.kill()
        child.leaving.wait()
        child.leaving = None
        wish.unlink(missing_ok=True)
    elif child.twin is None:
        _stop([child], now + _ROLL_PATIENCE)
        wish.unlink(missing_ok=True)
    elif child.successor is None or child.successor.poll() is not None:
        child.successor, child.ready_at = child.twin.spawn(), 0.0
    elif not child.ready_at:
        child.ready_at = 0.0 if child.twin.probe() else now
    elif now - child.ready_at > _READY_BEFORE:
        _swap(child, now)
        return True
    return False


def _swap(child: Child, now: float) -> None:
    """The successor is the child from now on; its predecessor finishes what it has in hand."""
    assert child.twin
    assert child.process
    assert child.successor
    child.process.send_signal(child.program.stop_signal)
    child.leaving, child.process, child.successor = child.process, child.successor, None
    child.program, child.twin = child.twin, child.program
    child.session, child.started_at, child.due_at = child.process.pid, now, now + _ROLL_PATIENCE
    child.restarts += 1


def _stop(children: list[Child], deadline: float) -> None:
    """Asks each child to go, waits until `deadline` (monotonic seconds), then makes it."""
    living = [
        (child.program, process)
        for child in children
        for process in (child.process, child.successor, child.leaving)
        if process is not None
    ]
    for program, process in living:
        with suppress(ProcessLookupError):
            process.send_signal(program.stop_signal)
    for _, process in living:
        try:
            process.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def _rotate(program: Program) -> None:
    """Sets a grown log aside. The process goes on appending to the same file, so it is copied and emptied."""
    with suppress(OSError):
        if program.log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(program.log, program.log.with_suffix(".log.1"))
            with program.log.open("r+b") as log:
                log.truncate(0)


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
