"""A few connections to the keyring database, which fail fast and come back by themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from kernel.ops import metrics
from kernel.sql.crypto.errors import KeyringUnavailable
from kernel.sql.engine import VANISHED

T = TypeVar("T")

CONNECT_SECONDS = 2
# After a failed connect everybody fails at once for this long: threads must not pile up in connects.
COOL_DOWN_SECONDS = 0.5
_UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError)


def connect(url: str) -> psycopg.Connection:
    """A new connection in autocommit mode whose waits are all bounded. Raises psycopg's errors."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        options="-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s",
        **VANISHED,
    )


class Connections:
    """At most `size` connections, opened when first needed. Threads and green threads may share it."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection] = []
        self._down_until = 0.0

    def run(self, work: Callable[[psycopg.Connection], T]) -> T:
        """What `work` answers, given a connection in autocommit mode.

        `work` must be safe to repeat: it runs a second time when an idle connection proves dead, as
        after a restart of the server. Raises KeyringUnavailable when the server can't be reached.
        """
        try:
            return self._run(work)
        except KeyringUnavailable:
            metrics.keyring_errors.inc()
            raise

    def _run(self, work: Callable[[psycopg.Connection], T]) -> T:
        if not self._free.acquire(timeout=CONNECT_SECONDS):
            raise KeyringUnavailable()
        try:
            connection = self._take_idle()
            if connection is not None:
                try:
                    return self._use(connection, work)
                except _UNREACHABLE as error:
                    if not connection.closed:
                        raise KeyringUnavailable() from error
                    self.close()
            try:
                return self._use(self._open(), work)
            except _UNREACHABLE as error:
                raise KeyringUnavailable() from error
        finally:
            self._free.release()

    def close(self) -> None:
        """Closes what is idle; the next use connects again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _use(self, connection: psycopg.Connection, work: Callable[[psycopg.Connection], T]) -> T:
        try:
            answer = work(connection)
        except BaseException:
            # Whatever happened, a connection in doubt is not kept, unless it is plainly idle.
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.close()
            else:
                self._give_back(connection)
            raise
        self._give_back(connection)
        return answer

    def _take_idle(self) -> psycopg.Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: psycopg.Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def _open(self) -> psycopg.Connection:
        if time.monotonic() < self._down_until:
            raise KeyringUnavailable()
        try:
            return connect(self._url)
        except _UNREACHABLE:
            self._down_until = time.monotonic() + COOL_DOWN_SECONDS
            raise
