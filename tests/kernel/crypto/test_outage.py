"""The keyring cluster goes away and comes back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo

from kernel.sql.crypto.blind import BlindIndex
from kernel.sql.crypto.connections import COOL_DOWN_SECONDS
from kernel.sql.crypto.errors import KeyringUnavailable
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.schema import keyring_is_current
from kernel.sql.crypto.sealing import Sealer

NewKeyring = Callable[..., Keyring]


class Door:
    """A TCP port that leads to the keyring's server while it is open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuses new connections and cuts those that stand."""
        sockets = [*self._pairs, *([self._listener] if self._listener else [])]
        self._listener, self._pairs = None, []
        for each in sockets:
            # A thread that blocks in it wakes by the shutdown only.
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                each.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            return


@pytest.fixture
def door(keyring_url: str) -> Iterator[Door]:
    parts = conninfo.conninfo_to_dict(keyring_url)
    made = Door((str(parts["host"]), int(str(parts["port"]))))
    made.open()
    yield made
    made.shut()


@pytest.fixture
def through_door(door: Door, keyring_url: str, new_keyring: NewKeyring) -> Keyring:
    return new_keyring(conninfo.make_conninfo(keyring_url, host="127.0.0.1", port=door.port))


@contextmanager
def within(seconds: float) -> Iterator[Callable[[], bool]]:
    """A deadline to poll against."""
    end = time.monotonic() + seconds
    yield lambda: time.monotonic() < end


def test_a_closed_port_is_unavailable_and_not_an_error_of_the_driver(
    new_keyring: NewKeyring, door: Door, through_door: Keyring, keyring_url: str
) -> None:
    door.shut()
    for _ in range(3):
        with pytest.raises(KeyringUnavailable) as error:
            through_door.keys([uuid4()], "operational")
        assert error.value.transient
    with pytest.raises(KeyringUnavailable):
        through_door.create([uuid4()], "operational")
    with pytest.raises(KeyringUnavailable):
        through_door.poll_version()
    with pytest.raises(KeyringUnavailable):
        keyring_is_current(conninfo.make_conninfo(keyring_url, host="127.0.0.1", port=door.port))


def test_what_is_in_memory_works_on_and_the_rest_comes_back_by_itself(
    door: Door, through_door: Keyring
) -> None:
    sealer = Sealer(through_door, installation="test", service="customer")
    index = BlindIndex(through_door)
    known, unknown = uuid4(), uuid4()
    sealed = sealer.seal("people", known, known, {"full_name": "李"})
    token = index.token("phone", "+8613812345678")

    door.shut()

    with pytest.raises(KeyringUnavailable):
        through_door.keys([unknown], "operational")
    assert sealer.open("people", known, known, sealed) == {"full_name": "李"}
    assert sealer.seal("people", known, known, {"full_name": "李"})
    assert index.token("phone", "+8613812345678") == token
    with pytest.raises(KeyringUnavailable):
        sealer.seal("people", unknown, unknown, {})

    door.open()

    with within(20 * COOL_DOWN_SECONDS) as time_is_left:
        back = None
        while back is None and time_is_left():
            try:
                back = sealer.seal("people", unknown, unknown, {})
            except KeyringUnavailable:
                time.sleep(0.02)
    assert back


def test_a_restart_of_the_server_between_two_calls_is_not_noticed(keyring: Keyring, keyring_url: str) -> None:
    before = uuid4()
    keyring.create([before], "operational")
    with psycopg.connect(keyring_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    keyring.forget()
    assert before in keyring.keys([before], "operational")


def test_a_server_that_accepts_and_never_answers_is_unavailable(
    keyring_url: str, new_keyring: NewKeyring
) -> None:
    # It listens, so that connects succeed, and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = conninfo.make_conninfo(keyring_url, host="127.0.0.1", port=silent.getsockname()[1])
        keyring = new_keyring(url)
        for _ in range(5):
            with pytest.raises(KeyringUnavailable):
                keyring.keys([uuid4()], "operational")
