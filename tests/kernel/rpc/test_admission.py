"""A server with more to do than it can says so at once, first to those who can wait best."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

import crm.customer.v1.customer_service_pb2  # noqa: F401 - METHODS are found by name
from kernel.rpc.admission import CALLER, Admission, Cost, Entrance, Priority, priority_of
from kernel.rpc.methods import Method, methods_of, service_descriptor
from tests.support.api import reason_of

METHODS = {m.name: m for m in methods_of(service_descriptor("crm.customer.v1.CustomerService"))}
LIST, READ, COMMAND = (METHODS[name] for name in ("ListCustomers", "GetCustomer", "CreateCustomer"))
THREADS, QUEUE, OF_ONE = 2, 6, 3


def _cost(method: Method, seconds: float) -> Cost:
    cost = Cost(method)
    cost.seconds = seconds
    return cost


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no thread stays behind."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def admission() -> Iterator[Admission]:
    with Admission(THREADS, QUEUE, OF_ONE) as admission:
        yield admission


def _fill(admission: Admission, gate: threading.Event, calls: int, seconds: float) -> None:
    for _ in range(calls):
        assert admission.admits(_cost(COMMAND, seconds))
        admission.submit(gate.wait)


def test_pages_are_lists_and_what_changes_something_is_a_command() -> None:
    assert [priority_of(method) for method in (LIST, READ, COMMAND)] == list(Priority)
    assert priority_of(METHODS["SearchCustomers"]) is Priority.LIST


def test_while_a_thread_is_free_nobody_waits(admission: Admission, gate: threading.Event) -> None:
    _fill(admission, gate, THREADS - 1, seconds=60)
    assert admission.wait == 0
    assert admission.admits(_cost(LIST, 60))


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [(0.001, [LIST, READ, COMMAND]), (0.3, [READ, COMMAND]), (0.6, [COMMAND]), (60.0, [COMMAND])],
)
def test_the_longer_the_wait_the_fewer_kinds_are_taken(
    admission: Admission, gate: threading.Event, seconds: float, taken: list[Method]
) -> None:
    """Three calls for two threads: the next waits as long as 3 x seconds x 2/3 / 2."""
    _fill(admission, gate, 3, seconds)
    assert admission.wait == pytest.approx(seconds)
    assert [method for method in (LIST, READ, COMMAND) if admission.admits(_cost(method, seconds))] == taken


def test_a_full_queue_takes_no_command_either(admission: Admission, gate: threading.Event) -> None:
    _fill(admission, gate, THREADS + QUEUE, seconds=0.0001)
    assert not admission.admits(_cost(COMMAND, 0.0001))


def test_what_has_ended_makes_room_even_when_it_failed(admission: Admission) -> None:
    def fail() -> None:
        raise RuntimeError("a fault")

    for _ in range(50):
        assert admission.admits(_cost(COMMAND, 60))
        future = admission.submit(fail)
        assert isinstance(future.exception(), RuntimeError)
    assert admission.wait == 0


def test_what_is_no_call_does_not_count(admission: Admission, gate: threading.Event) -> None:
    for _ in range(THREADS + QUEUE):
        admission.submit(gate.wait)
    assert admission.wait == 0


def test_the_cost_of_a_method_follows_what_it_costs(admission: Admission) -> None:
    cost = Cost(READ)
    for _ in range(60):
        admission.admits(cost)
        admission.submit(lambda: None).result()
    quick = cost.seconds
    for _ in range(20):
        cost.learn(0.2)
    assert quick < 0.004
    assert 0.15 < cost.seconds < 0.2


@dataclass
class Busy:
    """A server whose commands wait at a gate; `calls` calls it."""

    channel: grpc.Channel
    admission: Admission
    gate: threading.Event
    waiting: threading.Semaphore

    def call(self, method: Method, caller: str = "") -> grpc.Future:
        metadata = ((CALLER, caller),) if caller else ()
        return self.channel.unary_unary(f"/{method.full_name}").future(b"", timeout=10, metadata=metadata)

    def full(self) -> bool:
        return not self.admission.admits(Cost(COMMAND))


@contextmanager
def _busy() -> Iterator[Busy]:
    gate, waiting = threading.Event(), threading.Semaphore(0)

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        waiting.release()
        gate.wait(10)
        return b""

    admission = Admission(THREADS, QUEUE, OF_ONE)
    entrance = Entrance(admission)
    answers: dict[Method, Callable[..., bytes]] = {
        COMMAND: wait,
        LIST: lambda r, c: b"",
        READ: lambda r, c: b"",
    }
    for method, answer in answers.items():
        entrance.add(method, grpc.unary_unary_rpc_method_handler(answer))
    server = grpc.server(admission, handlers=(entrance,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Busy(channel, admission, gate, waiting)
        gate.set()
    server.stop(None).wait()


def _refused(call: Any) -> tuple[grpc.StatusCode, str]:
    """Its code and reason; every one says when to come back."""
    error = call.exception()
    assert dict(error.initial_metadata())["retry-after"] == "1"
    return error.code(), reason_of(rpc_status.from_call(error))


def test_a_full_server_answers_at_once_and_serves_what_it_took() -> None:
    with _busy() as server:
        taken = [server.call(COMMAND) for _ in range(THREADS + QUEUE)]
        for _ in range(THREADS):
            assert server.waiting.acquire(timeout=10)
        _until(server.full)
        assert _refused(server.call(COMMAND)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert not any(call.done() for call in taken)
        server.gate.set()
        assert [call.result() for call in taken] == [b""] * len(taken)
        assert server.call(LIST).result() == b""


def test_one_caller_takes_no_more_than_a_share_and_gets_it_back() -> None:
    with _busy() as server:
        taken = [server.call(COMMAND, "hasty") for _ in range(OF_ONE)]
        _until(lambda: server.admission.crowded_by("hasty"))
        for method in (COMMAND, READ, LIST):
            refused = server.call(method, "hasty")
            assert _refused(refused) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_AT_ONCE")
        others = [server.call(COMMAND, "patient"), server.call(COMMAND)]
        server.gate.set()
        assert [call.result() for call in (*taken, *others)] == [b""] * (OF_ONE + 2)
        _until(lambda: not server.admission.crowded_by("hasty"))
        assert server.call(LIST, "hasty").result() == b""


def test_calls_given_up_while_they_wait_make_room() -> None:
    with _busy() as server:
        taken = [server.call(COMMAND) for _ in range(THREADS + QUEUE)]
        _until(server.full)
        for call in taken:
            call.cancel()
        server.gate.set()
        _until(lambda: server.admission.wait == 0 and not server.full())


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def test_an_unknown_method_is_none_of_its_business() -> None:
    with _busy() as server:
        error = server.channel.unary_unary("/crm.customer.v1.CustomerService/Nope").future(b"").exception()
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_asking_costs_next_to_nothing(admission: Admission, gate: threading.Event) -> None:
    """Decided in the one thread that takes calls in: nothing there may block or grow with the queue."""
    _fill(admission, gate, THREADS + QUEUE - 1, seconds=0.0001)
    cost = _cost(LIST, 0.0001)
    with ThreadPoolExecutor(4) as askers:
        assert all(askers.map(lambda _: admission.admits(cost), range(1000)))
