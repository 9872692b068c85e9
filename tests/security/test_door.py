"""The same matrix in front of the kernel's door, as every service has it, without servers and stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.rpc import status_pb2

from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc import trust
from kernel.rpc.call import Call
from kernel.rpc.dispatch import Dispatcher
from kernel.rpc.methods import Method
from kernel.rpc.peers import ENVOY, allowed_calls
from kernel.rpc.trust import TrustPoller
from tests.security.matrix import HELD, PAST, UNREACHABLE, Exposed, declared, every_method, permissions
from tests.support.api import Keys, reason_of

KEYS = Keys()
# Programs of the installation, one that is none of its own, and one without a certificate.
PEERS = (*allowed_calls(), "stranger", "")


class _Aborted(Exception):
    def __init__(self, status: Any) -> None:
        (packed,) = (value for key, value in status.trailing_metadata if key == "grpc-status-details-bin")
        self.status = status_pb2.Status.FromString(packed)


class _Context:
    """The part of grpc.ServicerContext that the door uses."""

    def __init__(self, peer: str, token: str) -> None:
        self._names = [f"spiffe://crm/{peer}".encode()] if peer else []
        self._metadata = {"authorization": f"Bearer {token}"} if token else {}

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_subject_alternative_name": self._names}

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return list(self._metadata.items())

    def time_remaining(self) -> float:
        return 5.0

    def send_initial_metadata(self, metadata: Any) -> None:
        self.said = dict(metadata)

    def abort_with_status(self, status: Any) -> None:
        raise _Aborted(status)


class _Service:
    """What the door asks of a service whose methods all do nothing."""

    @contextmanager
    def work(self, principal: Principal) -> Iterator[None]:
        yield


@pytest.fixture(scope="module")
def dispatcher() -> Dispatcher:
    poller = TrustPoller(lambda: KEYS.trust)
    poller.poll()
    # Goes on hearing: what has not been heard for a while is another test's matter.
    poller.start()
    unused: Any = None
    service: Any = _Service()
    return Dispatcher(service, poller, unused)


def knock(dispatcher: Dispatcher, method: Method, token: str, peer: str = ENVOY) -> str:
    """The reason of the door's refusal, or PAST when the method itself was reached."""
    reached = []

    def answer(request: Any, call: Call) -> Any:
        reached.append(call.principal)
        return method.response()

    try:
        dispatcher.handler(method, answer).unary_unary(method.request(), _Context(peer, token))
    except _Aborted as refusal:
        assert not reached, f"{method.full_name} was carried out and then refused"
        return reason_of(refusal.status)
    assert len(reached) == 1
    return PAST


def token(*held: str) -> str:
    """The widest of a user with these permissions."""
    grants = dict.fromkeys(held, Scope.ALL)
    return KEYS.token(Principal(PrincipalKind.USER, str(new_id()), grants, session_id=str(new_id())))


def answers(dispatcher: Dispatcher, held: frozenset[str] | None) -> list[str]:
    """Where the door answers a caller from outside otherwise than declared."""
    bearer, wrong = "" if held is None else token(*held), []
    for exposed in every_method():
        wanted, got = declared(exposed, held), knock(dispatcher, exposed.method, bearer)
        # The gateway knows no such address; the service itself refuses its being called from there.
        if got != ("CALLER_NOT_ALLOWED" if wanted == UNREACHABLE else wanted):
            wrong.append(f"{exposed.method.full_name}: {got}, declared: {wanted}")
    return wrong


@pytest.mark.parametrize("preset", HELD)
def test_a_preset_opens_what_is_declared_and_nothing_else(dispatcher: Dispatcher, preset: str) -> None:
    assert answers(dispatcher, HELD[preset]) == []


@pytest.mark.parametrize("permission", permissions())
def test_one_permission_opens_its_methods_only(dispatcher: Dispatcher, permission: str) -> None:
    assert answers(dispatcher, frozenset({permission})) == []


def test_without_a_token_only_what_is_for_anyone_is_open(dispatcher: Dispatcher) -> None:
    assert answers(dispatcher, None) == []


def test_without_a_permission_only_what_speaks_of_the_caller_is_open(dispatcher: Dispatcher) -> None:
    assert answers(dispatcher, frozenset()) == []


@pytest.mark.parametrize("bearer", ["none", "of everything"])
@pytest.mark.parametrize("peer", PEERS)
def test_another_program_calls_what_the_list_of_calls_names_and_brings_nobody_in(
    dispatcher: Dispatcher, peer: str, bearer: str
) -> None:
    named = allowed_calls().get(peer, frozenset())
    carried = token(*permissions()) if bearer == "of everything" else ""
    reached = {
        exposed.method.full_name
        for exposed in every_method()
        if knock(dispatcher, exposed.method, carried, peer) == PAST
    }
    assert reached == named


def test_whoever_may_call_is_refused_what_is_fresh_while_revocations_are_not_heard(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "STALE_AFTER", -1.0)  # the last answer is older than that
    bearer = token(*permissions())

    def wanted(exposed: Exposed) -> str:
        if exposed.method.internal:
            return "CALLER_NOT_ALLOWED"
        return "REVOCATIONS_UNKNOWN" if exposed.method.fresh else PAST

    assert any(exposed.method.fresh for exposed in every_method())
    assert {
        exposed.method.full_name: knock(dispatcher, exposed.method, bearer) for exposed in every_method()
    } == {exposed.method.full_name: wanted(exposed) for exposed in every_method()}
