"""The supervisor, with toy processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from crm_cli.local.program import Program
from crm_cli.local.supervisor import Child, Supervisor
from tests.support.servers import eventually

Toy = Callable[..., Program]

_WAITS = "import time; print('up', flush=True); time.sleep(600)"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_WAITS}"
_PARENT = f"import subprocess; subprocess.Popen(['sleep', '600']); {_WAITS}"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    def make(code: str, name: str = "toy", **more: object) -> Program:
        return Program(
            name=name,
            command=(sys.executable, "-c", code),
            environment={"PATH": os.environ["PATH"]},
            log=tmp_path / f"{name}.log",
            **more,
        )

    return make


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    one = Supervisor(changed=lambda: None)
    one.open()
    yield one
    one.close(patience=2)


def pid_of(supervisor: Supervisor, name: str = "toy") -> int:
    eventually(lambda: supervisor.child(name).pid)
    pid = supervisor.child(name).pid
    assert pid
    return pid


def up(program: Program) -> None:
    eventually(lambda: program.log.exists() and "up" in program.log.read_text())


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_killed_process_is_started_again(supervisor: Supervisor, toy: Toy) -> None:
    supervisor.add([toy(_WAITS)])
    first = pid_of(supervisor)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervisor.child("toy").pid not in (None, first))
    assert supervisor.child("toy").restarts == 1
    assert supervisor.child("toy").last_exit == "killed by SIGKILL"


def test_one_that_keeps_dying_waits_longer_each_time(supervisor: Supervisor, toy: Toy) -> None:
    supervisor.add([toy("raise SystemExit(3)")])
    eventually(lambda: supervisor.child("toy").restarts >= 3)
    child: Child = supervisor.child("toy")
    assert child.pause > 1
    assert child.last_exit == "exit 3"


def test_a_successor_is_ready_before_its_predecessor_is_asked_to_go(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_cli.local.supervisor._READY_BEFORE", 0.3)
    wish, ready = tmp_path / "rolled" / "toy", tmp_path / "ready"
    wish.parent.mkdir()
    supervisor = Supervisor(changed=lambda: None, rolled=wish.parent)
    supervisor.open()
    try:
        twin = toy(_WAITS, probe=lambda: None if ready.exists() else "not yet")
        supervisor.add([toy(_WAITS)], [twin])
        first = pid_of(supervisor)
        wish.touch()
        eventually(lambda: supervisor.child("toy").successor)
        assert supervisor.child("toy").pid == first
        ready.touch()
        eventually(lambda: not wish.exists())
        assert gone(first)
        second = pid_of(supervisor)
        assert not gone(second)
        assert supervisor.child("toy").program is twin
    finally:
        supervisor.close(patience=2)
    eventually(lambda: gone(second))


def test_one_without_a_twin_is_stopped_and_started_again(toy: Toy, tmp_path: Path) -> None:
    wish = tmp_path / "rolled" / "toy"
    wish.parent.mkdir()
    supervisor = Supervisor(changed=lambda: None, rolled=wish.parent)
    supervisor.open()
    try:
        supervisor.add([toy(_WAITS)])
        first = pid_of(supervisor)
        wish.touch()
        eventually(lambda: supervisor.child("toy").pid not in (None, first))
        assert not wish.exists()
    finally:
        supervisor.close(patience=2)


def test_what_a_dead_process_left_behind_is_gone_before_the_next_starts(
    supervisor: Supervisor, toy: Toy
) -> None:
    program = toy(_PARENT)
    supervisor.add([program])
    first = pid_of(supervisor)
    up(program)
    (orphan,) = psutil.Process(first).children()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervisor.child("toy").pid not in (None, first))
    assert gone(orphan.pid)


def test_closing_stops_even_those_that_will_not(toy: Toy) -> None:
    supervisor = Supervisor(changed=lambda: None)
    supervisor.open()
    stubborn, parent = toy(_STUBBORN, "stubborn"), toy(_PARENT, "parent", kind="server")
    supervisor.add([stubborn, parent])
    pids = [pid_of(supervisor, "stubborn"), pid_of(supervisor, "parent")]
    up(stubborn)
    up(parent)
    pids += [child.pid for child in psutil.Process(pids[1]).children()]
    supervisor.close(patience=0.5)
    eventually(lambda: all(map(gone, pids)))


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from crm_cli.local.program import Program
from crm_cli.local.supervisor import Supervisor
one = Supervisor(changed=lambda: None)
one.open()
one.add([Program("toy", ("sleep", "600"), {{"PATH": "/usr/bin:/bin"}}, Path({str(tmp_path)!r}) / "toy.log")])
while one.child("toy").pid is None:
    time.sleep(0.05)
print(one.child("toy").pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        pid = int(running.stdout.readline())
        running.kill()
    eventually(lambda: gone(pid))


def test_each_change_is_told(toy: Toy) -> None:
    told: list[int] = []
    supervisor = Supervisor(changed=lambda: told.append(1))
    supervisor.open()
    supervisor.add([toy("raise SystemExit(0)")])
    eventually(lambda: len(told) >= 2)
    supervisor.close(patience=1)


def test_a_grown_log_is_set_aside_while_its_process_writes_on(
    supervisor: Supervisor, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = toy("import time\nwhile True: print('a line', flush=True); time.sleep(0.01)")
    monkeypatch.setattr("crm_cli.local.supervisor._LOG_LIMIT", 1000)
    supervisor.add([program])
    previous = program.log.with_suffix(".log.1")
    eventually(previous.exists, seconds=30)
    assert previous.stat().st_size > 1000
    assert previous.read_text().startswith("a line\n")
    eventually(lambda: program.log.read_text().startswith("a line\n"))
