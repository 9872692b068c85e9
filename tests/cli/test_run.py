"""`crm run` as a user meets it: a real installation, its faults, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from crm_cli.local.installation import AlreadyRunning
from crm_cli.local.reset import forget
from crm_cli.local.stack import ProcessInfo, StackInfo
from crm_cli.local.status import collect
from tests.support.servers import eventually
from tests.support.stack import private_stack

_SERVERS_ONLY = [sys.executable, "-m", "crm_cli", "run", "--only-servers", "--stack"]
_SERVERS = ("postgres-main", "postgres-keyring", "rabbitmq", "redis", "epmd")


def crm(*arguments: str, stack: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator types it."""
    return subprocess.run(
        [sys.executable, "-m", "crm_cli", *arguments, "--stack", stack],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def serves(info: StackInfo, running: subprocess.Popen[bytes]) -> bool:
    """Whether the servers of an installation were started by this process, and are ready."""
    now = reloaded(info)
    return now.supervisor_pid == running.pid and now.phase == "servers"


def below(folder: str) -> list[str]:
    """Processes that work in an installation's folder, or were given a file of it."""
    found = []
    for process in psutil.process_iter():
        try:
            if folder in process.cwd() or folder in " ".join(process.cmdline()):
                found.append(f"{process.pid} {process.name()}")
        except psutil.Error:
            continue
    return found


def reloaded(info: StackInfo) -> StackInfo:
    return StackInfo.load(info.name)


@pytest.fixture(scope="module")
def servers_only() -> StackInfo:
    """A stopped installation of servers only, which was well."""
    with private_stack("test-run", only_servers=True) as info:
        with psycopg.connect(info.server("postgres-main").url) as connection:
            connection.execute("create table remembered (id int)")
        for name in _SERVERS:
            assert info.process(name).pid
        assert len(below(info.folder)) >= len(_SERVERS) - 1
    return info


def test_a_terminated_installation_leaves_no_process(servers_only: StackInfo) -> None:
    info = reloaded(servers_only)
    assert info.phase == "stopped"
    assert below(info.folder) == []
    epmd = f"-port {json.loads((Path(info.folder) / 'ports.json').read_text())['epmd']}"
    assert not [
        one for one in psutil.process_iter(["cmdline"]) if epmd in " ".join(one.info["cmdline"] or [])
    ]
    assert crm("status", stack=info.name).returncode == 1


@pytest.mark.parametrize("last_words", [signal.SIGKILL, signal.SIGINT])
def test_however_it_ends_no_process_is_left_and_data_and_ports_stay(
    servers_only: StackInfo, last_words: signal.Signals
) -> None:
    with subprocess.Popen([*_SERVERS_ONLY, servers_only.name], stdout=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: serves(servers_only, running), seconds=120)
            info = reloaded(servers_only)
            assert info.servers == servers_only.servers
            with psycopg.connect(info.server("postgres-main").url) as connection:
                connection.execute("select * from remembered")
            again = crm("run", "--only-servers", stack=info.name)
            assert (again.returncode, "running already" in again.stdout) == (1, True)
            with pytest.raises(AlreadyRunning):
                forget(info.name)
            running.send_signal(last_words)
        except BaseException:
            running.kill()  # or this would wait for it for ever
            raise
    eventually(lambda: below(servers_only.folder) == [], seconds=60)


def test_a_key_that_is_gone_is_not_replaced_while_its_keyring_holds_keys(servers_only: StackInfo) -> None:
    info, kek = reloaded(servers_only), Path(servers_only.service("customer").kek_file)
    key = kek.read_text()
    with subprocess.Popen([*_SERVERS_ONLY, info.name], stdout=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: serves(info, running), seconds=120)
            with psycopg.connect(info.service("customer").keyring_owner_url) as owner:
                owner.execute("create table subject_keys (subject_id uuid)")
                owner.execute("insert into subject_keys values (gen_random_uuid())")
        finally:
            running.send_signal(signal.SIGINT)
    kek.unlink()
    refused = crm("run", "--only-servers", stack=info.name)
    assert refused.returncode == 1
    assert f"{kek} that opens them is gone" in refused.stdout
    assert not kek.exists()
    kek.write_text(key)


def test_reset_forgets_the_data() -> None:
    with private_stack("test-reset", only_servers=True) as info:
        assert Path(info.folder).exists()
    assert crm("reset", stack=info.name).returncode == 0
    assert not Path(info.folder).exists()


def test_waiting_begins_before_there_is_an_installation_and_ends_when_it_is_well() -> None:
    name = f"test-waited-{os.getpid()}"
    with subprocess.Popen(
        [sys.executable, "-m", "crm_cli", "status", "--wait", "--timeout", "170", "--json", "--stack", name],
        stdout=subprocess.PIPE, text=True,
    ) as waiting:  # fmt: skip
        # No installation yet: without --wait that is said at once.
        assert crm("status", stack=name).returncode == 1
        assert waiting.poll() is None
        with private_stack(name, only_servers=True):
            told = json.loads(waiting.communicate(timeout=180)[0])
    assert (waiting.returncode, told["phase"]) == (0, "servers")
    assert {"postgres-main", "rabbitmq", "redis"} <= {part["name"] for part in told["parts"]}
    forget(name)


def test_an_installation_that_is_starting_is_not_well_yet(servers_only: StackInfo) -> None:
    one = ProcessInfo("one", "service", os.getpid(), ops="", log="")
    info = replace(
        servers_only, phase="starting", supervisor_pid=os.getpid(), processes=[one], servers=[], services=[]
    )
    [starting] = [part for part in collect(info) if not part.well]
    assert (starting.name, starting.reason) == ("supervisor", "still starting the installation")


def test_everything_is_well_once_it_is_ready(stack: StackInfo) -> None:
    done = crm("status", "--json", "--wait", stack=stack.name)
    told = json.loads(done.stdout)
    assert (done.returncode, [part for part in told["parts"] if not part["well"]]) == (0, [])
    groups = {part["group"] for part in told["parts"]}
    assert groups == {"process", "database", "keyring", "queue", "gateway"}
    assert sum(part["facts"].get("memory_mb", 0) for part in told["parts"]) < 3000


def test_every_process_comes_back_after_kill_9(stack: StackInfo) -> None:
    before = reloaded(stack)
    for process in before.processes:
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)

    def all_new() -> bool:
        now = {process.name: process.pid for process in reloaded(stack).processes}
        return all(now[process.name] not in (None, process.pid) for process in before.processes)

    eventually(all_new, seconds=120)
    done = crm("status", "--wait", stack=stack.name)
    assert done.returncode == 0, done.stdout


def test_an_unwell_part_is_named(stack: StackInfo) -> None:
    process = reloaded(stack).process("sales.jobs")
    assert process.pid
    os.kill(process.pid, signal.SIGSTOP)
    try:
        done = crm("status", stack=stack.name)
        assert done.returncode == 1
        assert "unwell: sales.jobs" in done.stdout
    finally:
        os.kill(process.pid, signal.SIGCONT)
