"""Finds the programs of the servers, and installs Debian's packages where it may."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crm_cli.local.report import tail

# How often the output of apt-get is looked at, in seconds.
_GLANCE = 0.5
# Debian asks this program whether a freshly installed server may be started.
_POLICY = Path("/usr/sbin/policy-rc.d")


class Missing(Exception):
    """A server program is not installed and can't be installed by us; the message says what to do.

    `log` is the output of the installation that failed.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Need:
    """A server this installation needs, the Debian package it comes in, and how to find it."""

    package: str
    program: str


POSTGRES = Need("postgresql", "postgres")
RABBITMQ = Need("rabbitmq-server", "rabbitmq-server")
REDIS = Need("redis-server", "redis-server")
# What documents in Chinese are set in; typst brings none.
FONTS = Need("fonts-noto-cjk", "")
CJK_FONTS = Path("/usr/share/fonts/opentype/noto")


def find(need: Need) -> Path | None:
    """The folder of the program, or None."""
    if need is POSTGRES:
        found = list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        return max(found, key=_version).parent if found else None
    if need is RABBITMQ:
        # Not the one in /usr/sbin: it changes the user.
        program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        return program.parent if program.exists() and shutil.which("epmd") else None
    if need is FONTS:
        return CJK_FONTS if any(CJK_FONTS.glob("NotoSerifCJK-Regular.*")) else None
    path = shutil.which(need.program)
    return Path(path).parent if path else None


def provide(needs: list[Need], log: Path, tell: Callable[[str], None]) -> dict[Need, Path]:
    """The folder of each needed program, after installing what is missing; `tell` hears how far that is.

    Raises Missing.
    """
    absent = [need for need in needs if find(need) is None]
    if absent:
        _install([need.package for need in absent], log, tell)
    found = {need: folder for need in needs if (folder := find(need))}
    still = [need.package for need in needs if need not in found]
    if still:
        raise Missing(f"not found although installed: {', '.join(still)}", log)
    return found


def _install(packages: list[str], log: Path, tell: Callable[[str], None]) -> None:
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise Missing(
            "please install PostgreSQL, RabbitMQ, Redis and Noto CJK fonts"
            f" (missing here, by Debian's names: {names}), or name other servers:"
            " CRM_POSTGRES_URL, CRM_KEYRING_POSTGRES_URL, CRM_RABBITMQ_URL, CRM_REDIS_URL"
        )
    if os.geteuid() != 0:
        raise Missing(f"please run: sudo apt-get install --no-install-recommends {names}")
    with _servers_stay_down():
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            tell(f"apt-get {command[0]}")
            code = _apt_get(command, log, tell)
            if code:
                raise Missing(f"apt-get {command[0]} ended with exit code {code}", log)


def _apt_get(command: list[str], log: Path, tell: Callable[[str], None]) -> int:
    """The exit code; the newest line of the output is told while it runs."""
    with log.open("ab") as stream:
        running = subprocess.Popen(
            ["apt-get", "-o", "DPkg::Lock::Timeout=120", *command],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    with running:
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return running.wait(_GLANCE)
                tell("".join(tail(log, 1)))
        except BaseException:
            running.terminate()
            raise


@contextmanager
def _servers_stay_down() -> Iterator[None]:
    """Debian starts a server when it is installed, on the standard port; we want the program only."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n", "utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", path.parts[4]))
