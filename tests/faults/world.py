"""A running installation to do harm to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psutil

from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount
from crm_cli.client import Account, Gateway
from crm_cli.local.layout import SERVICES, Layout, process_names
from tests.faults.told import Ledger
from tests.support.stack import private_stack
from tests.system.behind import Behind, until

PLANTED = Path(__file__).with_name("planted")
# Every process of ours.
PROCESSES = tuple(f"{service}.{process}" for service in SERVICES for process in process_names(service))
# Seconds until a process that was shot counts as well again, when nobody waited for it.
_BACK_AFTER = 20.0


class World:
    def __init__(self, behind: Behind, gateway: Gateway, admin: Account, feeder: Account) -> None:
        self.behind = behind
        self.gateway = gateway
        self.admin = admin
        # A service account with every right of an integration.
        self.feeder = feeder
        self.ledger = Ledger(behind)
        # When something was down that events need to get out.
        self.outages: list[tuple[datetime, datetime]] = []

    @property
    def folder(self) -> Path:
        return Path(self.behind.stack.folder)

    def settle(self) -> None:
        """Waits until every process is well and nothing is under way."""
        self.behind.await_well()
        self.behind.await_silence()

    def begin(self) -> None:
        """Settles, and starts to write down what is told."""
        self.settle()
        self.ledger.begin()
        self.outages = []

    def shoot(self, name: str) -> int:
        """SIGKILL; answers the pid that died. A process that is down is waited for."""
        began = datetime.now(UTC)
        while True:
            with suppress(ProcessLookupError):
                dead = self.behind.kill(name)
                break
            time.sleep(0.05)
        if name.endswith(".events") or name not in PROCESSES:
            self.outages.append((began, began + timedelta(seconds=_BACK_AFTER)))
        return dead

    def shoot_and_wait(self, name: str) -> None:
        """SIGKILL, and back when the successor is ready."""
        began = datetime.now(UTC)
        dead = self.shoot(name)
        self.behind.await_restart(name, dead)
        self.outages.append((began, datetime.now(UTC) + timedelta(seconds=_BACK_AFTER)))

    def freeze_broker(self) -> None:
        """SIGSTOP: it takes nothing more in, and says nothing, until it is shot."""
        pid = until("the broker runs", lambda: self.behind.stack.process("rabbitmq").pid)
        process = psutil.Process(pid)
        # Not the helpers below it: they end by themselves when it is gone.
        for one in (process, *process.children(recursive=True)):
            if one.name() == "beam.smp":
                one.suspend()

    @contextmanager
    def planted(self, damage: str, processes: Sequence[str]) -> Iterator[None]:
        """Inside, these processes run with the damage (see planted/sitecustomize.py)."""
        file = self.folder / "planted"
        file.write_text(f"{damage}\n", "utf-8")
        try:
            self._start_anew(processes)
            yield
        finally:
            file.unlink()
            self._start_anew(processes)

    def _start_anew(self, processes: Sequence[str]) -> None:
        dead = {name: self.shoot(name) for name in processes}
        for name, pid in dead.items():
            self.behind.await_restart(name, pid)


@contextmanager
def world(name: str = "faults") -> Iterator[World]:
    """An installation of its own, stopped at the end."""
    settings = {"PYTHONPATH": str(PLANTED), "CRM_ATTEMPT_SECONDS": "60"}
    with private_stack(name, environment=settings) as info:
        gateway = Gateway(info.gateway_url, Path(info.ca_file))
        admin = gateway.password_account(info.admin_login, info.admin_password)
        session = admin.session()
        made = session.call(
            session.directory.CreateServiceAccount,
            CreateServiceAccountRequest(
                service_account=ServiceAccount(name="faults", role_ids=["integration"]),
                request_id=str(uuid4()),
            ),
        )
        feeder = gateway.secret_account(made.service_account.id, made.client_secret)
        yield World(Behind(info), gateway, admin, feeder)


def mailbox(world: World) -> Path:
    """Where the mail server that takes outgoing mail keeps it."""
    return Layout.of(world.behind.stack.name).mailbox
