"""A local installation while it runs: its supervisor, its addresses, and what it tells other tools."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import threading
from dataclasses import replace
from typing import IO

from crm_cli.local import databases, sample_state
from crm_cli.local import ports as free_ports
from crm_cli.local.databases import Database, of_service
from crm_cli.local.files import Passwords, write_private
from crm_cli.local.layout import GATEWAY_PORT, SERVICES, Layout, port_names
from crm_cli.local.report import StepFailed
from crm_cli.local.servers import Servers
from crm_cli.local.stack import ProcessInfo, ServiceInfo, StackInfo
from crm_cli.local.supervisor import Supervisor

ADMIN = "admin"


class AlreadyRunning(Exception):
    """Another `crm run` keeps this installation alive."""


class Installation:
    """Opened once by a process, which then holds its lock, its ports and its children until it is closed."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        layout.folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = take_lock(layout)
        self.passwords = Passwords(layout.passwords)
        preferred = {"gateway": GATEWAY_PORT}
        self.ports = free_ports.choose(layout.folder / "ports.json", port_names(), preferred)
        self.servers = Servers()
        self.services: list[ServiceInfo] = []
        self._guard = threading.Lock()
        self._info = self._fresh_info()
        for folder in (layout.held, layout.rolled):
            shutil.rmtree(folder, ignore_errors=True)
        self.supervisor = Supervisor(self.publish, layout.held, layout.rolled)
        self.supervisor.open()
        self.publish()

    @property
    def info(self) -> StackInfo:
        with self._guard:
            return self._info

    def know_servers(self, servers: Servers) -> None:
        """Takes the servers' addresses and derives what each service will be given."""
        self.servers = servers
        self.services = [self._service(name) for name in SERVICES]
        self.publish(servers=servers.infos, services=self.services, rabbitmqctl=servers.rabbitmqctl)

    def publish(self, **changes: object) -> None:
        """Rewrites stack.json with these changes and the present state of every process."""
        with self._guard:
            self._info = replace(self._info, **changes, processes=self._processes())  # type: ignore[arg-type]
            self._info.save()

    def databases(self, cluster: str) -> list[Database]:
        """What a cluster must hold: a database a service, or a keyring a service."""
        return [self._database(name, cluster) for name in SERVICES]

    def write_keys(self) -> None:
        """A key-encryption key a service, made once: without it the service's personal data is lost.

        Raises StepFailed where a keyring holds keys that only a key which is gone can open.
        """
        for service in SERVICES:
            path = self.layout.kek(service)
            if not path.exists():
                address = self._database(service, "keyring").owner_url(self.servers.clusters["keyring"])
                if databases.holds_rows(address, "app.subject_keys"):
                    raise StepFailed(
                        f"key of {service}",
                        f"its keyring holds keys of persons, but {path} that opens them is gone",
                        "put the file back from its copy; `make reset` forgets the data with the keys",
                    )
                key = base64.b64encode(secrets.token_bytes(32)).decode()
                write_private(path, json.dumps({"active": "1", "keys": {"1": key}}))

    def mark(self) -> str:
        """What marks this installation's roles on a cluster; made once."""
        path = self.layout.identity
        if not path.exists():
            write_private(path, f"crm installation {secrets.token_hex(16)}")
        return path.read_text("utf-8")

    def write_admin_password(self) -> None:
        write_private(self.layout.admin_password, self.passwords.get("admin"))

    def close(self) -> None:
        """Stops every process; the data stays."""
        self.supervisor.close()
        self.publish(phase="stopped", supervisor_pid=None)
        self._lock_file.close()

    def _processes(self) -> list[ProcessInfo]:
        children = self.supervisor.children() if hasattr(self, "supervisor") else []
        return [
            ProcessInfo(
                name=child.program.name,
                kind=child.program.kind,
                pid=child.pid,
                ops=child.program.ops,
                log=str(child.program.log),
                restarts=child.restarts,
                last_exit=child.last_exit,
            )
            for child in children
        ]

    def _fresh_info(self) -> StackInfo:
        return StackInfo(
            name=self.layout.name,
            root=str(self.layout.root),
            folder=str(self.layout.folder),
            phase="starting",
            supervisor_pid=os.getpid(),
            gateway_url=f"https://localhost:{self.ports['gateway']}",
            ca_file=str(self.layout.tls / "ca.pem"),
            admin_login=ADMIN,
            admin_password=self.passwords.get("admin"),
            logins=sample_state.load(self.layout).logins,
        )

    def _service(self, name: str) -> ServiceInfo:
        main, keyring = self._database(name, "main"), self._database(name, "keyring")
        main_admin, keyring_admin = self.servers.clusters["main"], self.servers.clusters["keyring"]
        return ServiceInfo(
            name=name,
            database_url=main.app_url(main_admin),
            database_owner_url=main.owner_url(main_admin),
            keyring_url=keyring.app_url(keyring_admin),
            keyring_owner_url=keyring.owner_url(keyring_admin),
            amqp_url=self.servers.amqp_of[name],
            grpc_address=f"127.0.0.1:{self.ports[f'{name}.grpc']}",
            tls_cert=str(self.layout.tls / f"{name}.pem"),
            tls_key=str(self.layout.tls / f"{name}.key"),
            kek_file=str(self.layout.kek(name)),
        )

    def _database(self, service: str, cluster: str) -> Database:
        return of_service(service, cluster, self.passwords.get)


def take_lock(layout: Layout) -> IO[str]:
    """Held until the process ends, however it ends."""
    lock = (layout.folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunning(f"the installation {layout.name!r} of this clone is running already") from None
    return lock
