"""A running installation to do harm to, with clients that write down what they were answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from crm.gateway.v1.directory_service_pb2 import CreateServiceAccountRequest
from crm.gateway.v1.identity_pb2 import ServiceAccount
from crm_cli.client import Account, Gateway, Refused, Session
from tests.faults.history import History
from tests.support.stack import private_stack
from tests.system.behind import Behind

# A command of a client: its key, the method's name on the session, the request.
Command = tuple[str, Callable[[Session], Any], Any]


class World:
    def __init__(self, behind: Behind, gateway: Gateway, admin: Account, feeder: Account) -> None:
        self.behind = behind
        self.gateway = gateway
        self.admin = admin
        # A service account with every right of an integration.
        self.feeder = feeder

    def settle(self) -> None:
        """Waits until every process is well and nothing is under way."""
        self.behind.await_well()
        self.behind.await_silence()


@contextmanager
def world(name: str = "faults") -> Iterator[World]:
    """An installation of its own, stopped at the end."""
    with private_stack(name) as info:
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


class Clients:
    """So many clients take turns at the commands, each on a connection of its own; a command is sent again,
    unchanged, until it is answered."""

    def __init__(self, account: Account, commands: Sequence[Command], history: History, clients: int) -> None:
        self._account = account
        self._pending = iter(commands)
        self._history = history
        self._lock = threading.Lock()
        self.errors: list[str] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Returns once every command was answered. Raises AssertionError for errors of the clients."""
        for thread in self._threads:
            thread.join()
        assert not self.errors, f"{len(self.errors)} calls failed, as {self.errors[0]}"

    def _work(self) -> None:
        session = self._account.session()
        while (command := self._next()) is not None:
            key, method, request = command
            with self._history.operation(key) as operation:
                try:
                    answer = session.call(method(session), request)
                except Refused as refused:
                    operation.state = "refused"
                    with self._lock:
                        self.errors.append(str(refused))
                else:
                    operation.state, operation.answer = "ok", answer.SerializeToString(deterministic=True)

    def _next(self) -> Command | None:
        with self._lock:
            return next(self._pending, None)


def shuffled(random: Random, commands: Sequence[Command]) -> list[Command]:
    return random.sample(list(commands), len(commands))
