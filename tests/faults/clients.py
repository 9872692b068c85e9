"""Clients that write down what they were answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

import grpc

from crm_cli.client import Account, Refused, Session, passing
from tests.faults.history import History, Operation

# A command of a client: its key, the method's name on the session, the request.
Command = tuple[str, Callable[[Session], Any], Any]
# Seconds one try of an impatient client may take.
_DEADLINE = 15.0


class Clients:
    """So many clients take turns at the commands, each on a connection of its own.

    Patient ones send a command again, unchanged, until it is answered. Impatient ones send it once: without
    an answer it is unknown what became of it. `rate` is how many commands begin a second, all together;
    without it each client sends the next as soon as it may.
    """

    def __init__(
        self,
        account: Account,
        commands: Iterable[Command],
        history: History,
        clients: int,
        *,
        patient: bool = True,
        rate: float | None = None,
    ) -> None:
        self._account = account
        self._pending = iter(commands)
        self._history = history
        self._patient = patient
        self._pause = 1 / rate if rate else 0.0
        self._due = time.monotonic()
        self._lock = threading.Lock()
        # Sentences, and how often each.
        self.errors: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Returns once every command was sent and, by patient clients, answered."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        session = self._account.session()
        while (command := self._next()) is not None:
            key, method, request = command
            with self._history.operation(key) as operation:
                self._send(session, method(session), request, operation)

    def _send(self, session: Session, method: Any, request: Any, operation: Operation) -> None:
        try:
            if self._patient:
                answer = session.call(method, request)
            else:
                token = self._account.token()
                answer = method(request, timeout=_DEADLINE, metadata=(("authorization", f"Bearer {token}"),))
        except Refused as refused:
            operation.state = "refused"
            self._note(str(refused))
        except grpc.RpcError as error:
            operation.state = "unknown" if passing(error) else "refused"
            self._note(f"{type(request).__name__}: {error.code().name} {error.details()}")
        else:
            operation.state, operation.answer = "ok", answer.SerializeToString(deterministic=True)

    def _note(self, sentence: str) -> None:
        with self._lock:
            self.errors[sentence] += 1

    def _next(self) -> Command | None:
        with self._lock:
            command = next(self._pending, None)
            wait = self._due - time.monotonic()
            self._due = max(self._due, time.monotonic() - 1) + self._pause
        if command is not None and self._pause and wait > 0:
            time.sleep(wait)
        return command


def shuffled(random: Random, commands: Sequence[Command]) -> list[Command]:
    return random.sample(list(commands), len(commands))


def resolve(account: Account, commands: Sequence[Command], history: History) -> int:
    """Sends again, under the same request id, what nobody knows the fate of; answers how many."""
    known = history.keys("ok") | history.keys("refused")
    unknown = [command for command in commands if command[0] in history.keys("unknown") - known]
    Clients(account, unknown, history, 4).join()
    return len(unknown)
