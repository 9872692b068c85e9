"""Whether a call may wait for a thread: decided when it arrives, so that a full server still answers at once.

The wait ahead of a call is what the calls before it are expected to cost, by what their methods cost lately,
shared by the threads. Lists are refused first, then single reads; commands only when the queue is full. No
caller takes more than a share of the queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc

from kernel.ops import metrics
from kernel.pure.errors import CrmError, Exhausted
from kernel.rpc import status
from kernel.rpc.methods import Method


class Priority(Enum):
    """The longest wait in seconds for which a call is still taken in."""

    LIST = 0.25
    READ = 0.5
    COMMAND = float("inf")


class Overloaded(Exhausted):
    reason = "OVERLOADED"
    en = "The service has more to do than it can; try again in a moment."
    zh = "服务繁忙，请稍后重试。"


class TooManyAtOnce(Exhausted):
    """One caller may not take the place of all others."""

    reason = "TOO_MANY_AT_ONCE"
    en = "You have too many calls under way; wait until some are answered."
    zh = "您同时进行的调用过多，请等待部分调用完成后再试。"


# The header in which the gateway says whose token it has verified; from outside it takes none of that name.
CALLER = "x-crm-caller"
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
    `of_one` is how many calls of one caller it holds at a time, those that wait among them.
    """

    def __init__(self, threads: int, queue: int, of_one: int) -> None:
        super().__init__(threads, thread_name_prefix="call")
        self._width = threads
        self._most = threads + queue
        self._of_one = of_one
        self._callers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._calls = 0
        self._seconds = 0.0
        self._arriving = threading.local()

    def crowded_by(self, caller: str) -> bool:
        """Whether a caller has as many calls here as one may; the empty one is nobody in particular."""
        return self._callers.get(caller, 0) >= self._of_one

    def admits(self, cost: Cost, caller: str = "") -> bool:
        """Whether a call of such cost, which arrives now, is taken in."""
        if self._calls >= self._most or self.wait > cost.priority.value:
            return False
        self._arriving.call = cost, caller
        return True

    @property
    def wait(self) -> float:
        """Seconds that a call arriving now is expected to wait for a thread."""
        waiting = self._calls - self._width
        return self._seconds * (waiting + 1) / (self._calls * self._width) if waiting >= 0 else 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        call: tuple[Cost, str] | None = self._arriving.__dict__.pop("call", None)
        if call is None:
            return super().submit(fn, *args, **kwargs)
        cost, caller = call
        return super().submit(self._counted, cost, caller, self._entered(cost, caller), fn, *args, **kwargs)

    def _entered(self, cost: Cost, caller: str) -> float:
        expected = cost.seconds
        with self._lock:
            self._calls += 1
            self._seconds += expected
            if caller:
                self._callers[caller] = self._callers.get(caller, 0) + 1
        return expected

    def _counted(self, cost: Cost, caller: str, expected: float, fn: Callable[..., Any], *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return fn(*args)
        finally:
            cost.learn(time.perf_counter() - began)
            with self._lock:
                self._calls -= 1
                self._seconds = self._seconds - expected if self._calls else 0.0
                if caller:
                    self._left(caller)

    def _left(self, caller: str) -> None:
        more = self._callers[caller] - 1
        if more:
            self._callers[caller] = more
        else:
            del self._callers[caller]


@dataclass(frozen=True)
class _Answers:
    """What may be done with a call of one method."""

    cost: Cost
    handler: grpc.RpcMethodHandler
    overloaded: grpc.RpcMethodHandler
    crowded: grpc.RpcMethodHandler


class Entrance(grpc.GenericRpcHandler):
    """The methods of a server; a call for which there is no room is answered by threads that do only that."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._refusing = ThreadPoolExecutor(1, thread_name_prefix="refuse")
        self._methods: dict[str, _Answers] = {}

    def add(self, method: Method, handler: grpc.RpcMethodHandler) -> None:
        self._methods[f"/{method.full_name}"] = _Answers(
            Cost(method),
            handler,
            _refusal(method, self._refusing, Overloaded()),
            _refusal(method, self._refusing, TooManyAtOnce()),
        )

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self._methods.get(details.method)
        if found is None:
            return None
        caller = _caller(details)
        if self._admission.crowded_by(caller):
            return found.crowded
        return found.handler if self._admission.admits(found.cost, caller) else found.overloaded


def _caller(details: grpc.HandlerCallDetails) -> str:
    """Whose call this is, as the gateway has found out; a service on its own account is nobody."""
    for key, value in details.invocation_metadata:
        if key == CALLER:
            return str(value)
    return ""


def _refusal(method: Method, threads: ThreadPoolExecutor, error: CrmError) -> grpc.RpcMethodHandler:
    labels = (method.service, method.name)
    started, shed = metrics.calls_started.labels(*labels), metrics.calls_shed.labels(*labels)
    handled = metrics.calls_handled.labels(*labels, grpc.StatusCode.RESOURCE_EXHAUSTED.name)

    def refuse(request: bytes, context: grpc.ServicerContext) -> None:
        for counter in (started, shed, handled):
            counter.inc()
        heard = dict(context.invocation_metadata())
        language = status.language_of(heard.get("accept-language", ""))
        status.abort(context, status.to_status(error, language))

    refuse.experimental_thread_pool = threads  # type: ignore[attr-defined]
    return grpc.unary_unary_rpc_method_handler(refuse)
