"""What a local installation consists of, in one place. A new service is one more name here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from crm_cli.local.stack import clone_root, stack_folder

SERVICES = ("gateway", "customer", "sales", "ticketing", "marketing", "privacy")
PROCESSES = ("api", "events", "jobs")
# Processes that only one service has, because their traffic differs.
MORE_PROCESSES = {"ticketing": ("mail",)}
CLUSTERS = ("main", "keyring")

# Connections one service may hold on a cluster: its processes' pools, with room for a second replica of one.
APP_CONNECTIONS = 45
OWNER_CONNECTIONS = 5
# Administrators, `crm status`, tests.
SPARE_CONNECTIONS = 30

GATEWAY_PORT = 8443  # preferred; another one is taken when it is in use


def max_connections() -> int:
    """What a cluster must grant so that no service can take another's share."""
    return SPARE_CONNECTIONS + len(SERVICES) * (APP_CONNECTIONS + OWNER_CONNECTIONS)


def port_names() -> list[str]:
    """Every port an installation may need."""
    servers = [
        "postgres-main",
        "postgres-keyring",
        "rabbitmq",
        "epmd",
        "erlang",
        "redis",
        "mailbox",
        "gateway",
        "envoy-admin",
    ]
    grpc = [f"{service}.grpc" for service in SERVICES]
    ops = [f"{service}.{process}" for service in SERVICES for process in process_names(service)]
    twins = [twin(name) for name in [*grpc, *ops]]
    return [*servers, *grpc, *ops, *twins, "ticketing.smtp"]


def twin(port_name: str) -> str:
    """The port of the process that takes the place of another while both run."""
    return f"{port_name}.twin"


def process_names(service: str) -> tuple[str, ...]:
    """The names of the processes of a service."""
    return (*PROCESSES, *MORE_PROCESSES.get(service, ()))


@dataclass(frozen=True)
class Layout:
    """Where the installation `name` of the clone at `root` keeps what."""

    name: str
    root: Path

    @classmethod
    def of(cls, name: str, root: Path | None = None) -> Layout:
        return cls(name, root or clone_root())

    @property
    def folder(self) -> Path:
        return stack_folder(self.name, self.root)

    @property
    def key(self) -> str:
        """Tells this installation from those of other clones on the machine."""
        return hashlib.sha256(f"{self.root}:{self.name}".encode()).hexdigest()[:12]

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def tls(self) -> Path:
        return self.folder / "tls"

    @property
    def edge(self) -> Path:
        return self.folder / "edge"

    @property
    def rabbitmq(self) -> Path:
        return self.folder / "rabbitmq"

    @property
    def mailbox(self) -> Path:
        """Every mail that went out, a file each."""
        return self.folder / "mailbox"

    @property
    def held(self) -> Path:
        """While a file with a process's name lies here, the supervisor keeps that process down."""
        return self.folder / "held"

    @property
    def identity(self) -> Path:
        """What marks roles and databases as this installation's, wherever its folder is moved to."""
        return self.folder / "installation-id"

    @property
    def rolled(self) -> Path:
        """A process whose name a file here bears is replaced by its successor; then the file is gone."""
        return self.folder / "rolled"

    @property
    def passwords(self) -> Path:
        return self.folder / "secrets" / "passwords.json"

    @property
    def public_keys(self) -> Path:
        """What the installation's signatures are checked with."""
        return self.folder / "public-keys.json"

    @property
    def admin_password(self) -> Path:
        return self.folder / "secrets" / "admin-password"

    def kek(self, service: str) -> Path:
        return self.folder / "secrets" / f"kek-{service}.json"
