"""`crm run` itself: ready in time, small, beside another one, stopped without a trace, its data kept."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest, GetCustomerRequest
from crm_cli.client import Gateway, Session
from crm_cli.local.layout import SERVICES, Layout, process_names
from crm_cli.local.reset import forget
from crm_cli.local.stack import NoStack, StackInfo
from tests.system.behind import processes_of, until
from tests.system.conftest import Tell

_START_PATIENCE = 300.0
_STOP_PROMISED = 10.0  # seconds from Ctrl-C to the end, likewise
_GONE_WITHIN = 30.0  # seconds after the supervisor was shot; a few are meant
_MEMORY_LIMIT = 3 * 2**30  # bytes
_READY_PROMISED = 90.0  # seconds on a machine with nothing else to do
_REST = 5.0  # seconds in which it is measured what others use
_ADDRESSES = sum(len(process_names(service)) for service in SERVICES) + 6


@dataclass
class Measured:
    """How long something took, and what part of the machine others used meanwhile, from 0 to 1."""

    seconds: float = 0.0
    others: float = 0.0

    def within(self, promised: float) -> bool:
        """Whether it took what is promised on a machine of our own, or longer as others took of it."""
        return self.seconds <= promised / max(1 - self.others, 0.02)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, with {self.others:.0%} of the machine taken by others"


class Watch:
    """Measures from now on; `own` answers the seconds of CPU that our processes have used so far."""

    def __init__(self, own: Callable[[], float]) -> None:
        self._own, self._began = own, time.monotonic()
        self._busy, self._ours = _busy(), own()

    def stop(self) -> Measured:
        seconds = time.monotonic() - self._began
        others = (_busy() - self._busy) - (self._own() - self._ours)
        cores = psutil.cpu_count() or 1
        return Measured(seconds, min(max(others / (cores * seconds), 0.0), 1.0))


@dataclass
class Seen:
    """What one installation did in its two lives."""

    first_ready: Measured = field(default_factory=lambda: Measured())
    second_ready: Measured = field(default_factory=lambda: Measured())
    memory: int = 0  # bytes, shared pages counted once
    ports: frozenset[int] = frozenset()
    stop: Measured = field(default_factory=lambda: Measured())
    stop_code: int | None = None
    left_by_stop: tuple[str, ...] = ()
    name_before: str = ""
    name_after: str = ""
    left_by_kill: tuple[str, ...] = ()
    gone_seconds: float = 0.0


@pytest.fixture(scope="module")
def seen(stack: StackInfo, tell: Tell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Starts an installation beside the tests' own, stops it by Ctrl-C, starts it again and shoots it."""
    name = f"test-local-{uuid4().hex[:6]}"
    output = tmp_path_factory.mktemp("local") / "output"
    seen = Seen()
    running = None
    try:
        running, info, seen.first_ready = _start(name, output)
        seen.memory, seen.ports = _memory(info), _ports(info)
        customer_id, seen.name_before = _record_somebody(info)
        processes = processes_of(info)
        rest = _watch(running)
        time.sleep(_REST)
        seen.stop, seen.stop_code = _interrupt(running, rest.stop().others)
        seen.left_by_stop = _living(processes)
        running, info, seen.second_ready = _start(name, output)
        seen.name_after = _name_of(info, customer_id)
        processes = processes_of(info)
        running.kill()
        running.wait()
        seen.gone_seconds, seen.left_by_kill = _await_end(processes)
        tell(f"local: ready after {seen.first_ready}; again after {seen.second_ready}")
        tell(f"local: at rest {seen.memory / 2**20:.0f} MiB, shared pages counted once")
        tell(f"local: Ctrl-C took {seen.stop}; shot, gone after {seen.gone_seconds:.1f} s")
        yield seen
    finally:
        if running is not None and running.poll() is None:
            _interrupt(running, 0.0)
        forget(name)


def test_a_second_installation_runs_beside_the_first(seen: Seen, stack: StackInfo) -> None:
    assert len(seen.ports) >= _ADDRESSES
    assert seen.ports & _ports(StackInfo.load(stack.name)) == set()


def test_it_is_ready_in_time(seen: Seen) -> None:
    assert seen.first_ready.within(_READY_PROMISED), seen.first_ready


def test_everything_at_rest_is_small(seen: Seen) -> None:
    assert seen.memory < _MEMORY_LIMIT


def test_ctrl_c_ends_it_in_order(seen: Seen) -> None:
    assert seen.stop_code == 0


def test_ctrl_c_ends_it_in_time(seen: Seen) -> None:
    assert seen.stop.within(_STOP_PROMISED), seen.stop


def test_ctrl_c_leaves_no_process(seen: Seen) -> None:
    assert seen.left_by_stop == ()


def test_the_second_start_finds_the_data_of_the_first(seen: Seen) -> None:
    assert seen.name_before
    assert seen.name_after == seen.name_before


def test_the_second_start_is_ready_in_time(seen: Seen) -> None:
    assert seen.second_ready.within(_READY_PROMISED), seen.second_ready


def test_a_shot_supervisor_leaves_no_process(seen: Seen) -> None:
    assert seen.left_by_kill == ()


def _busy() -> float:
    """Seconds of CPU that all processes of the machine have used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def _used(process: psutil.Process) -> float:
    """Seconds of CPU that a process and its children have used, those that ended included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])
    return total


def _watch(running: subprocess.Popen[bytes]) -> Watch:
    """Measures what others than an installation use."""
    process = psutil.Process(running.pid)
    return Watch(lambda: _used(process))


def _start(name: str, output: Path) -> tuple[subprocess.Popen[bytes], StackInfo, Measured]:
    """As `make run` does, without sample company; how long until it said that it is ready."""
    with output.open("wb") as stream:
        running = subprocess.Popen(
            [sys.executable, "-m", "crm_cli", "run", "--stack", name, "--no-sample"],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    watch = _watch(running)

    def ready() -> StackInfo | None:
        assert running.poll() is None, f"crm run ended:\n{output.read_text('utf-8')}"
        with suppress(NoStack):
            info = StackInfo.load(name)
            return info if info.phase == "ready" and info.supervisor_pid == running.pid else None
        return None

    info = until(f"{name} is ready; its logs: {Layout.of(name).logs}", ready, _START_PATIENCE)
    return running, info, watch.stop()


def _interrupt(running: subprocess.Popen[bytes], others: float) -> tuple[Measured, int]:
    """Ctrl-C: how long it took, and the exit code. `others` is what they used just before: what processes
    used that have ended, nobody can ask."""
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    code = running.wait(_START_PATIENCE)
    return Measured(time.monotonic() - began, others), code


def _memory(info: StackInfo) -> int:
    total = 0
    for process in processes_of(info):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def _ports(info: StackInfo) -> frozenset[int]:
    """Where the processes listen."""
    listening = set()
    for process in processes_of(info):
        with suppress(psutil.Error):
            connections = process.net_connections(kind="tcp")
            listening |= {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}
    return frozenset(listening)


def _living(processes: list[psutil.Process]) -> tuple[str, ...]:
    """Those that live on, by what they are."""
    living = []
    for process in processes:
        # A pid that was given to somebody else is not running in psutil's sense.
        with suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                living.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
    return tuple(living)


def _await_end(processes: list[psutil.Process]) -> tuple[float, tuple[str, ...]]:
    """Seconds until none lives any more, and who lives on after the longest wait."""
    began = time.monotonic()
    with suppress(AssertionError):
        until("none lives", lambda: not _living(processes), _GONE_WITHIN)
    return time.monotonic() - began, _living(processes)


def _record_somebody(info: StackInfo) -> tuple[str, str]:
    """Id and name of a new person."""
    session = _session(info)
    name = "重启后仍在"
    request = CreateCustomerRequest(customer=Customer(person=Person(full_name=name)), request_id=str(uuid4()))
    return session.call(session.customers.CreateCustomer, request).id, name


def _name_of(info: StackInfo, customer_id: str) -> str:
    session = _session(info)
    customer = session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
    return str(customer.person.full_name)


def _session(info: StackInfo) -> Session:
    gateway = Gateway(info.gateway_url, Path(info.ca_file))
    return gateway.password_account(info.admin_login, info.admin_password).session()
