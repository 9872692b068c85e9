"""The client program: so many callers, each on a connection of its own, one call after the other.

It sends and receives bytes: what making and reading messages costs a client is no part of a figure.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any

import grpc

_DEADLINE = 30.0
_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


@dataclass(frozen=True)
class Work:
    """Calls of one method. `requests` are bytes by caller; callers share a list when there are fewer."""

    address: str
    method: str
    requests: Sequence[Sequence[bytes]]
    # PEM of the authority that signed the server's certificate; None for no TLS.
    ca: bytes | None = None
    # Each request is sent once only; else they are begun again at their end.
    once: bool = False


@dataclass(frozen=True)
class Outcome:
    """What was seen of one run; milliseconds of the calls that succeeded."""

    calls: int
    seconds: float
    p50: float
    p99: float
    failures: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


class Client:
    """Its side in this process."""

    def __init__(self, pipe: Connection, pid: int) -> None:
        self._pipe = pipe
        self.pid = pid

    def know(self, works: Mapping[str, Work]) -> None:
        """Tells it what it will be asked to call, by name."""
        self._pipe.send(dict(works))

    def run(self, name: str, callers: int, seconds: float, tokens: Sequence[str] = ()) -> Outcome:
        """Lets the first `callers` call for so long; `tokens` are theirs."""
        self._pipe.send((name, callers, seconds, tuple(tokens)))
        outcome: Outcome = self._pipe.recv()
        return outcome


@contextmanager
def client() -> Iterator[Client]:
    """A client in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Client(ours, process.pid or 0)
    finally:
        ours.close()
        process.join(5)
        process.kill()


def _serve(pipe: Connection) -> None:
    works: dict[str, _Calling] = {}
    while True:
        try:
            told = pipe.recv()
        except EOFError:
            return
        if isinstance(told, dict):
            works.update({name: _Calling(work) for name, work in told.items()})
        else:
            name, callers, seconds, tokens = told
            pipe.send(works[name].run(callers, seconds, tokens))


class _Calling:
    def __init__(self, work: Work) -> None:
        self._work = work
        every: Callable[[Sequence[bytes]], Iterator[bytes]] = iter if work.once else cycle
        self._requests = [every(requests) for requests in work.requests]
        self._calls: list[Any] = []

    def run(self, callers: int, seconds: float, tokens: Sequence[str]) -> Outcome:
        while len(self._calls) < callers:
            self._calls.append(self._connected())
        starting = threading.Barrier(callers + 1)
        took: list[list[float]] = [[] for _ in range(callers)]
        failures: Counter[str] = Counter()
        threads = [
            threading.Thread(
                target=self._call, args=(place, seconds, tokens, starting, took[place], failures)
            )
            for place in range(callers)
        ]
        for thread in threads:
            thread.start()
        starting.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - began
        every = sorted(one for of_caller in took for one in of_caller)
        p50, p99 = (every[int(len(every) * part)] * 1000 if every else 0.0 for part in (0.5, 0.99))
        return Outcome(len(every), elapsed, p50, p99, dict(failures))

    def _call(
        self,
        place: int,
        seconds: float,
        tokens: Sequence[str],
        starting: threading.Barrier,
        took: list[float],
        failures: Counter[str],
    ) -> None:
        call, requests = self._calls[place], self._requests[place % len(self._requests)]
        metadata = (("authorization", f"Bearer {tokens[place]}"),) if tokens else ()
        clock = time.perf_counter
        starting.wait()
        end = clock() + seconds
        for request in requests:
            began = clock()
            if began >= end:
                break
            try:
                call(request, timeout=_DEADLINE, metadata=metadata)
            except grpc.RpcError as error:
                failures[error.code().name] += 1
            else:
                took.append(clock() - began)
        else:
            failures["NOTHING_LEFT_TO_ASK"] += 1

    def _connected(self) -> Any:
        work = self._work
        if work.ca is None:
            channel = grpc.insecure_channel(work.address, _OWN_CONNECTION)
        else:
            channel = grpc.secure_channel(
                work.address, grpc.ssl_channel_credentials(work.ca), _OWN_CONNECTION
            )
        grpc.channel_ready_future(channel).result(_DEADLINE)
        return channel.unary_unary(work.method)
