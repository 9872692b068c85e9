"""Keys, certificates and addresses change while callers are calling; nobody notices."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import grpc
import pytest

from gateway.edge.jwt import write_keys
from gateway.edge.render import render
from tests.gateway.edge.certificates import Authority
from tests.gateway.edge.conftest import SERVED, Edge, opened, settings_for, start
from tests.gateway.edge.envoy import until
from tests.gateway.edge.tokens import Signer

READ = "customer.customers.read"
CREATE = "customer.customers.create"
CREATE_CUSTOMER = "/crm.customer.v1.CustomerService/CreateCustomer"
GET_CUSTOMER = "/crm.customer.v1.CustomerService/GetCustomer"


class Callers:
    """Threads that call without a pause, by JSON and by gRPC, each time with the current signer's token."""

    def __init__(self, edge: Edge) -> None:
        self.signer = edge.signer
        self.refused: list[str] = []
        self.answered = 0
        self._edge = edge
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=work) for work in (self._by_json, self._by_grpc, self._by_grpc)
        ]

    @contextmanager
    def calling(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            self.until_more(50)
            yield
            self.until_more(50)
        finally:
            self._ending.set()
            for thread in self._threads:
                thread.join()

    def until_more(self, calls: int) -> None:
        goal = self.answered + calls
        until(lambda: self.answered >= goal or self.refused, f"{calls} more calls")

    def _by_json(self) -> None:
        """On one connection, which stays."""
        with closing(self._edge.json.connect()) as connection:
            while not self._ending.is_set():
                token = self.signer.token([READ])
                answer = self._edge.json.call_on(connection, "GET", "/v1/customers/1", token=token)
                self._note(answer.status == 200, f"{answer.status} {answer.body!r}")

    def _by_grpc(self) -> None:
        while not self._ending.is_set():
            for method in (GET_CUSTOMER, CREATE_CUSTOMER):
                outcome = self._edge.grpc.call(method, token=self.signer.token([READ, CREATE]))
                self._note(outcome.code is grpc.StatusCode.OK, f"{outcome.code} {outcome.message}")

    def _note(self, well: bool, what: str) -> None:
        with self._lock:
            if well:
                self.answered += 1
            else:
                self.refused.append(what)


@pytest.fixture
def own(tmp_path: Path, authority: Authority) -> Iterator[Edge]:
    """An edge that a test may change."""
    services = {name: start(name, authority) for name in SERVED}
    settings = settings_for(tmp_path, authority, {name: [it.address] for name, it in services.items()})
    with opened(settings, services, authority) as edge:
        yield edge


def _takes(edge: Edge, signer: Signer) -> bool:
    return edge.json.call("GET", "/v1/customers/1", token=signer.token([READ])).status == 200


def _refuses(edge: Edge, signer: Signer) -> bool:
    return not _takes(edge, signer)


def test_no_call_is_refused_while_the_signing_key_rotates(own: Edge) -> None:
    """The new key is published, then tokens are signed with it, then the old key is withdrawn."""
    callers = Callers(own)
    directory = own.settings.dir
    with callers.calling():
        before = callers.signer
        for number in range(5):
            after = Signer(f"key {number}")
            assert write_keys([before.public_key(), after.public_key()], directory)
            until(partial(_takes, own, after), "the new key")
            callers.signer = after
            # A token is made just before its call; the last of the old key must have arrived.
            callers.until_more(20)
            assert write_keys([after.public_key()], directory)
            until(partial(_refuses, own, before), "the old key's end")
            before = after
    assert callers.refused == []
    assert own.envoy.stat("listener_manager.listener_modified") == 0, "connections stay"


def test_the_same_keys_again_change_nothing(own: Edge) -> None:
    keys = [own.signer.public_key(), Signer("second").public_key()]
    assert write_keys(keys, own.settings.dir)
    assert not write_keys(list(reversed(keys)), own.settings.dir)


def test_no_call_is_refused_while_a_server_joins_and_another_leaves(own: Edge, authority: Authority) -> None:
    callers = Callers(own)
    old, new = own.services["customer"], start("customer", authority)
    keys = [own.signer.public_key()]
    with callers.calling():
        upstreams = {**own.settings.upstreams, "customer": [old.address, new.address]}
        render(own.settings.model_copy(update={"upstreams": upstreams}), keys)
        until(lambda: new.calls, "calls for the new server")
        upstreams["customer"] = [new.address]
        render(own.settings.model_copy(update={"upstreams": upstreams}), keys)
        until(lambda: own.envoy.stat("cluster.customer.membership_total") == 1, "the new addresses")
    assert callers.refused == []
    new.stop()


def test_no_call_is_refused_while_servers_restart_one_after_the_other(
    own: Edge, authority: Authority
) -> None:
    """A server says that it drains, waits until Envoy has heard, finishes what it has and comes back."""
    servers = [own.services["customer"], start("customer", authority)]
    upstreams = {**own.settings.upstreams, "customer": [server.address for server in servers]}
    render(own.settings.model_copy(update={"upstreams": upstreams}), [own.signer.public_key()])
    until(partial(_healthy, own, 2), "both servers")
    callers = Callers(own)
    with callers.calling():
        for number, server in enumerate(servers):
            server.say(serving=False)
            until(partial(_healthy, own, 1), "Envoy has heard")
            server.server.stop(10).wait()
            servers[number] = start("customer", authority, server.port)
            until(partial(_healthy, own, 2), "it is back")
    assert callers.refused == []
    for server in servers:
        server.stop()


def _healthy(edge: Edge, servers: int) -> bool:
    return edge.envoy.stat("cluster.customer.membership_healthy") == servers


def test_a_broken_file_changes_nothing(own: Edge) -> None:
    callers = Callers(own)
    failures = "http.outside.rds.api.update_rejected"
    with callers.calling():
        draft = own.settings.dir / "draft"
        draft.write_text('{"resources": [{"@type": "nonsense"}]}')
        draft.rename(own.settings.dir / "routes.json")
        until(
            lambda: own.envoy.stat(failures) or own.envoy.stat("http.outside.rds.api.update_failure"),
            "Envoy's complaint",
        )
    assert callers.refused == []


def test_a_renewed_certificate_is_shown_without_a_restart(own: Edge, authority: Authority) -> None:
    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", own.json.port))

    first = shown()
    renewed = authority.outside("renewed")
    renewed.key.rename(own.settings.tls_key)
    renewed.cert.rename(own.settings.tls_cert)
    until(lambda: shown() != first, "the renewed certificate")
    assert _takes(own, own.signer)
