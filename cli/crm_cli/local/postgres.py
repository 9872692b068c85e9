"""Two private PostgreSQL clusters: one for the databases, one for the keyrings."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from crm_cli.local.files import write_private
from crm_cli.local.layout import Layout, max_connections
from crm_cli.local.program import Program
from crm_cli.local.report import StepFailed

_USER = "postgres"
# Small for the keyring: it holds some hundred bytes a subject.
_SHARED_BUFFERS = {"main": "128MB", "keyring": "32MB"}
_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Cluster:
    """A private cluster; `binaries` is the folder of postgres and initdb."""

    name: str  # main, keyring
    binaries: Path
    data: Path
    port: int
    password: str
    log: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def program(self) -> Program:
        """The postmaster. SIGINT stops it at once but cleanly, whoever is still connected."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": max_connections(),
            "shared_buffers": _SHARED_BUFFERS[self.name],
            "fsync": "on",
            "synchronous_commit": "on",
            "wal_compression": "on",
            "max_wal_size": "512MB",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %u@%d ",
            "cluster_name": f"crm-{self.name}",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Program(
            name=f"postgres-{self.name}",
            command=(str(self.binaries / "postgres"), "-D", str(self.data), *options),
            environment=self.environment,
            log=self.log,
            kind="server",
            home=self.data,
            user=_USER,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            probe=lambda: ask(self.url),
        )

    def create(self) -> None:
        """Makes the empty cluster unless it exists; a half-made one (no marker) is made anew.

        Raises StepFailed.
        """
        marker = self.data.parent / f"{self.data.name}.made"
        if marker.exists():
            return
        if self.data.exists():
            shutil.rmtree(self.data)
        secret = self.data.parent / f"{self.data.name}.password"
        write_private(secret, self.password)
        _give(secret)
        done = subprocess.run(
            [
                *_as_postgres(), str(self.binaries / "initdb"), "-D", str(self.data), "--username=postgres",
                f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
                "--data-checksums", "--no-instructions",
            ],
            env=dict(self.environment), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        secret.unlink()
        if done.returncode:
            log = self.log.with_name(f"initdb-{self.name}.log")
            log.write_bytes(done.stdout)
            advice = "mend what the log says, disk space and rights first, then run this again"
            raise StepFailed(f"initdb of {self.name}", f"exit code {done.returncode}", advice, log)
        (self.data / "pg_hba.conf").write_text(_HBA, "utf-8")
        _give(self.data / "pg_hba.conf")
        marker.touch()


def ask(url: str) -> str | None:
    """Whether a server answers there."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("select 1")
        return None
    except psycopg.Error as error:
        return str(error).strip().splitlines()[-1]


def data_folder(layout: Layout) -> Path:
    """Where the clusters live: below .local, unless PostgreSQL's user can't get there (a clone below /root).

    Then it is a private folder below /var/tmp, noted in .local so that a reset finds it.
    """
    note = layout.folder / "data-folder"
    if note.exists():
        return Path(note.read_text("utf-8").strip())
    folder = layout.folder / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    _give(folder)
    folder.chmod(0o700)
    if not _reachable(folder):
        folder.rmdir()
        folder = Path("/var/tmp") / f"crm-{layout.key}"
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder)
        state = folder.lstat()
        if folder.is_symlink() or state.st_uid != _owner() or state.st_mode & 0o077:
            raise RuntimeError(f"{folder} belongs to somebody else; move this clone out of /root")
    note.write_text(f"{folder}\n", "utf-8")
    return folder


def _reachable(folder: Path) -> bool:
    test = [*_as_postgres(), "test", "-w", str(folder)]
    return subprocess.run(test, cwd="/", capture_output=True, check=False).returncode == 0


def _as_postgres() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", _USER, "--regid", _USER, "--init-groups", "--"]


def _owner() -> int:
    return pwd.getpwnam(_USER).pw_uid if os.geteuid() == 0 else os.geteuid()


def _give(path: Path) -> None:
    """PostgreSQL refuses to run as root, and everything it touches must be its own."""
    if os.geteuid() == 0 and not path.is_symlink():
        user = pwd.getpwnam(_USER)
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
