"""Private installations for tests: the servers alone, or the whole running system.

Each is a `crm run` of its own below .local, begun empty. Test runs at the same time get different names.
"""

from __future__ import annotations

import atexit
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from crm_cli.local.installation import AlreadyRunning
from crm_cli.local.layout import Layout
from crm_cli.local.reset import forget
from crm_cli.local.stack import NoStack, StackInfo

# Seconds. Installing the servers' packages on a fresh machine is the longest part of it.
_START_PATIENCE = 600
_STOP_PATIENCE = 30
_NAMES_TRIED = 9
# Tests and benches call as one user what a hundred would, all at once.
_UNHURRIED = {
    "CRM_EDGE_USER_CALLS_PER_SECOND": "100000",
    "CRM_EDGE_ACCOUNT_CALLS_PER_SECOND": "100000",
    "CRM_EDGE_ANONYMOUS_CALLS_PER_SECOND": "1000",
    # Wrong passwords of one test are no reason to refuse the right ones of all others, who share an address.
    "CRM_THROTTLE_PER_ADDRESS": "1000000",
}
_CRM = [sys.executable, "-m", "crm_cli"]


@contextmanager
def private_stack(
    name: str, only_servers: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[StackInfo]:
    """An installation without the sample company, ready when it is yielded, stopped at the end.

    `environment` is added to that of `crm run`, for its settings; how often somebody may call is hardly
    limited unless it says so. `only_servers`: databases and roles,
    certificates and broker users are there, but no process of ours and no table.
    """
    name = _unused(name)
    mode = "--only-servers" if only_servers else "--no-sample"
    with tempfile.TemporaryFile() as output:
        running = subprocess.Popen(
            # setpriv: it ends with us, however we end.
            [
                "setpriv",
                "--pdeathsig",
                "TERM",
                "--",
                sys.executable,
                "-m",
                "crm_cli",
                "run",
                "--stack",
                name,
                mode,
            ],
            env={**os.environ, **_UNHURRIED, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _started(running, name, "servers" if only_servers else "ready", output)
        finally:
            _stop(running)


@cache
def shared_servers() -> StackInfo:
    """The servers that tests of single parts share; started when first asked for, stopped at Python's end."""
    held = ExitStack()
    info = held.enter_context(private_stack("test-servers", only_servers=True))
    atexit.register(held.close)
    return info


def server_variables() -> dict[str, str]:
    """CRM_TEST_*: what tests of single parts are told, when nobody named other servers to them."""
    info = shared_servers()
    broker = info.server("rabbitmq").url
    return {
        "CRM_TEST_DATABASE_URL": info.server("postgres-main").url,
        "CRM_TEST_KEYRING_URL": info.server("postgres-keyring").url,
        "CRM_TEST_AMQP_URL": broker.rpartition("/")[0],
        "CRM_TEST_REDIS_URL": info.server("redis").url,
        "CRM_TEST_RABBITMQCTL": shlex.join(info.rabbitmqctl),
    }


def _unused(name: str) -> str:
    """The first name whose installation nobody runs; what an earlier run left there is forgotten."""
    for number in range(1, _NAMES_TRIED + 1):
        tried = name if number == 1 else f"{name}-{number}"
        try:
            forget(tried)
        except AlreadyRunning:
            continue
        return tried
    raise RuntimeError(f"{_NAMES_TRIED} installations named {name} are running; stop some")


def _started(running: subprocess.Popen[bytes], name: str, phase: str, output: IO[bytes]) -> StackInfo:
    deadline = time.monotonic() + _START_PATIENCE
    while time.monotonic() < deadline:
        if running.poll() is not None:
            output.seek(0)
            raise RuntimeError(f"crm run --stack {name} ended:\n{output.read().decode()}")
        try:
            info = StackInfo.load(name)
        except NoStack:
            info = None
        if info and info.phase == phase and info.supervisor_pid == running.pid:
            return info
        time.sleep(0.1)
    raise RuntimeError(f"{name} was not ready after {_START_PATIENCE} s; see {Layout.of(name).logs}")


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    try:
        running.wait(_STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()


def log_of(info: StackInfo, process: str) -> Path:
    """The log file of a process, by its name ("customer.events")."""
    return Path(info.process(process).log)
