"""Whether a call may wait for a thread: decided when it arrives, so that a full server still answers at once.

The wait ahead of a call is what the calls before it are expected to cost, by what their methods cost lately,
shared by the threads. Lists are refused first, then single reads; commands only when the queue is full.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import Any

import grpc

from kernel.ops import metrics
from kernel.pure.errors import Exhausted
from kernel.rpc import status
from kernel.rpc.methods import Method


class Priority(Enum):
    """The longest wait in seconds for which a call is still taken in."""

    LIST = 0.05
    READ = 0.1
    COMMAND = float("inf")


class Overloaded(Exhausted):
    reason = "OVERLOADED"
    en = "The service has more to do than it can; try again in a moment."
    zh = "服务繁忙，请稍后重试。"

    def __init__(self) -> None:
        super().__init__()
        self.retry_after = 1.0


# What a method is taken to cost before it has been seen, in seconds, and the weight of each later call.
_UNSEEN = 0.005
_WEIGHT = 0.1


class Cost:
    """What a method cost lately; one long call does not make it expensive."""

    def __init__(self, method: Method) -> None:
        self.seconds = _UNSEEN
        self.priority = priority_of(method)

    def learn(self, seconds: float) -> None:
        self.seconds += (seconds - self.seconds) * _WEIGHT


def priority_of(method: Method) -> Priority:
    """A page is a list."""
    if method.command:
        return Priority.COMMAND
    return Priority.LIST if "page_size" in method.request.DESCRIPTOR.fields_by_name else Priority.READ


class Admission(ThreadPoolExecutor):
    """The threads that answer calls, and the count of what waits for them.

    gRPC asks for a call's handler and hands the call to these threads in one go, in one thread of its own:
    `admits` remembers the call until `submit` takes it, so that calls given up while waiting count too.
    """

    def __init__(self, threads: int, queue: int) -> None:
        super().__init__(threads, thread_name_prefix="call")
        self._width = threads
        self._most = threads + queue
        self._lock = threading.Lock()
        self._calls = 0
        self._seconds = 0.0
        self._arriving = threading.local()

    def admits(self, cost: Cost) -> bool:
        """Whether a call of such cost, which arrives now, is taken in."""
        if self._calls >= self._most or self.wait > cost.priority.value:
            return False
        self._arriving.cost = cost
        return True

    @property
    def wait(self) -> float:
        """Seconds that a call arriving now is expected to wait for a thread."""
        waiting = self._calls - self._width
        return self._seconds * (waiting + 1) / (self._calls * self._width) if waiting >= 0 else 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        cost: Cost | None = self._arriving.__dict__.pop("cost", None)
        if cost is None:
            return super().submit(fn, *args, **kwargs)
        return super().submit(self._counted, cost, self._entered(cost), fn, *args, **kwargs)

    def _entered(self, cost: Cost) -> float:
        expected = cost.seconds
        with self._lock:
            self._calls += 1
            self._seconds += expected
        return expected

    def _counted(self, cost: Cost, expected: float, fn: Callable[..., Any], *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return fn(*args)
        finally:
            cost.learn(time.perf_counter() - began)
            with self._lock:
                self._calls -= 1
                self._seconds = self._seconds - expected if self._calls else 0.0


class Entrance(grpc.GenericRpcHandler):
    """The methods of a server; a call for which there is no room is answered by threads that do only that."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._refusing = ThreadPoolExecutor(1, thread_name_prefix="refuse")
        self._methods: dict[str, tuple[Cost, grpc.RpcMethodHandler, grpc.RpcMethodHandler]] = {}

    def add(self, method: Method, handler: grpc.RpcMethodHandler) -> None:
        self._methods[f"/{method.full_name}"] = Cost(method), handler, _refusal(method, self._refusing)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self._methods.get(details.method)
        if found is None:
            return None
        cost, handler, refusal = found
        return handler if self._admission.admits(cost) else refusal


def _refusal(method: Method, threads: ThreadPoolExecutor) -> grpc.RpcMethodHandler:
    labels = (method.service, method.name)
    started, shed = metrics.calls_started.labels(*labels), metrics.calls_shed.labels(*labels)
    handled = metrics.calls_handled.labels(*labels, grpc.StatusCode.RESOURCE_EXHAUSTED.name)

    def refuse(request: bytes, context: grpc.ServicerContext) -> None:
        for counter in (started, shed, handled):
            counter.inc()
        heard = dict(context.invocation_metadata())
        language = status.language_of(heard.get("accept-language", ""))
        status.abort(context, status.to_status(Overloaded(), language))

    refuse.experimental_thread_pool = threads  # type: ignore[attr-defined]
    return grpc.unary_unary_rpc_method_handler(refuse)
