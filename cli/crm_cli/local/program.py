"""A process to keep alive: how it is started, asked whether it is well, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

# Answers None when well, else a sentence that says what is not.
Probe = Callable[[], str | None]


def always_ready() -> str | None:
    """The probe of a process that is ready as soon as it lives."""
    return None


@dataclass(frozen=True)
class Program:
    """`environment` is all the process gets. `home` is its working folder and, for PostgreSQL, its data."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    kind: str = "service"  # services are stopped before servers
    home: Path | None = None
    user: str | None = None  # run as this user; only root can
    ops: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    # What it gets when the supervisor itself is killed.
    orphan_signal: signal.Signals = signal.SIGKILL
    probe: Probe = field(default=always_ready, compare=False)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts it in a session of its own, its output appended to its log. Call from a thread that stays:
        the kernel sends the orphan signal when the *thread* that started the process ends."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*_wrapper(self.user, self.orphan_signal), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.home,
                start_new_session=True,
            )


def leftovers(dead: Mapping[int, Program]) -> list[psutil.Process]:
    """What dead processes left behind: children in their session (the key), and who works in their folder."""
    homes = {str(program.home) for program in dead.values() if program.kind == "server" and program.home}
    return [other for other in psutil.process_iter() if _is_leftover(other, dead, homes)]


def _is_leftover(other: psutil.Process, sessions: Container[int], homes: Container[str]) -> bool:
    try:
        if other.pid == os.getpid():
            return False
        # PostgreSQL's children leave the session but live in the data folder.
        belongs = os.getsid(other.pid) in sessions or other.cwd() in homes
        return belongs and other.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _wrapper(user: str | None, orphan_signal: signal.Signals) -> list[str]:
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    command = [setpriv, "--pdeathsig", orphan_signal.name.removeprefix("SIG")]
    if user is not None and os.geteuid() == 0:
        command += ["--reuid", user, "--regid", user, "--init-groups"]
    return [*command, "--"]
