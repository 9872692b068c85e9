"""What stands in .local/<stack>/stack.json: everything another tool must know of a local installation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crm_cli.local.files import write_private


class NoStack(Exception):
    """There is no such installation, or it was never started."""


@dataclass(frozen=True)
class ProcessInfo:
    """A process the supervisor keeps alive. `pid` is None while it is down; `ops` is "host:port" or empty."""

    name: str
    kind: str  # "service" or "server"
    pid: int | None
    ops: str
    log: str
    restarts: int = 0
    last_exit: str = ""


@dataclass(frozen=True)
class ServerInfo:
    """A server the installation uses. `url` carries the administrator's password; `private`: ours."""

    name: str  # postgres-main, postgres-keyring, rabbitmq, redis
    url: str
    private: bool


@dataclass(frozen=True)
class ServiceInfo:
    """What one service was given; URLs carry passwords."""

    name: str
    database_url: str
    database_owner_url: str
    keyring_url: str
    keyring_owner_url: str
    amqp_url: str
    grpc_address: str
    tls_cert: str
    tls_key: str
    kek_file: str


@dataclass(frozen=True)
class DemoLogin:
    """A user of the sample company."""

    role: str
    login: str
    password: str
    name: str = ""


@dataclass(frozen=True)
class StackInfo:
    """A local installation. The file is readable by its owner only: it holds passwords."""

    name: str
    root: str  # the clone
    folder: str  # .local/<name>
    phase: str  # starting; servers: all there will be, with --only-servers; ready; stopped
    supervisor_pid: int | None
    gateway_url: str  # https://localhost:PORT
    ca_file: str
    admin_login: str
    admin_password: str
    servers: list[ServerInfo] = field(default_factory=list)
    services: list[ServiceInfo] = field(default_factory=list)
    processes: list[ProcessInfo] = field(default_factory=list)
    rabbitmqctl: list[str] = field(default_factory=list)  # command line that manages a private broker
    queues: list[str] = field(default_factory=list)  # work queues; .retry-* and .dead stand beside each
    logins: list[DemoLogin] = field(default_factory=list)

    @classmethod
    def load(cls, name: str = "main", root: Path | None = None) -> StackInfo:
        """The installation `name` of the clone at `root` (default: this one); raises NoStack."""
        path = stack_folder(name, root) / "stack.json"
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise NoStack(f"no installation named {name!r} here; `make run` starts one") from None
        return cls(
            **{
                **data,
                "servers": [ServerInfo(**one) for one in data["servers"]],
                "services": [ServiceInfo(**one) for one in data["services"]],
                "processes": [ProcessInfo(**one) for one in data["processes"]],
                "logins": [DemoLogin(**one) for one in data["logins"]],
            }
        )

    def save(self) -> None:
        """Replaces the file at once, so that a reader never sees half of it."""
        write_private(
            Path(self.folder) / "stack.json", json.dumps(asdict(self), indent=1, ensure_ascii=False)
        )

    def service(self, name: str) -> ServiceInfo:
        return next(one for one in self.services if one.name == name)

    def process(self, name: str) -> ProcessInfo:
        return next(one for one in self.processes if one.name == name)

    def server(self, name: str) -> ServerInfo:
        return next(one for one in self.servers if one.name == name)


def clone_root() -> Path:
    """The folder of the clone whose code runs: the command is installed editable."""
    return Path(__file__).resolve().parents[3]


def stack_folder(name: str, root: Path | None = None) -> Path:
    """Where the installation `name` keeps what it must remember."""
    return (root or clone_root()) / ".local" / name
