"""Counters of attempts: in Redis, shared by all replicas; in this process while Redis is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import redis
from redis.exceptions import RedisError

from kernel.ops.logs import logger

log = logger(__name__)

# Seconds to wait for Redis: a call must not hang on it.
_PATIENCE = 0.25
# Seconds for which Redis is not asked again after it failed.
_REST = 5.0
# Keys held in this process at most.
_MOST = 50_000

# The key may have expired since: then nothing is left to give back.
_GIVE_BACK = "if redis.call('exists', KEYS[1]) == 1 then return redis.call('decr', KEYS[1]) end return 0"


class Counters(Protocol):
    """Counts within windows of time; may forget."""

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; the window of `seconds` begins with the first.

        Answers the count and the seconds left of the window.
        """

    def give_back(self, key: str) -> None:
        """Counts one less in the present window, if there is one."""


class RedisCounters:
    """Raises RedisError when Redis does not answer in time. `prefix` keeps uses of one Redis apart."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._redis = redis.Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; answers the count and the seconds left of the window."""
        name = self._prefix + key
        pipe = self._redis.pipeline(transaction=True)
        pipe.set(name, 0, px=round(seconds * 1000), nx=True)
        pipe.incr(name)
        pipe.pttl(name)
        _, count, left = pipe.execute()
        return int(count), max(0, int(left)) / 1000

    def give_back(self, key: str) -> None:
        """Counts one less in the present window."""
        self._redis.eval(_GIVE_BACK, 1, self._prefix + key)

    def close(self) -> None:
        self._redis.close()


class LocalCounters:
    """In the memory of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; answers the count and the seconds left of the window."""
        now = time.monotonic()
        with self._lock:
            if len(self._windows) >= _MOST:
                self._windows = {k: window for k, window in self._windows.items() if window[1] > now}
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + seconds
            self._windows[key] = (count + 1, ends)
            return count + 1, ends - now

    def give_back(self, key: str) -> None:
        """Counts one less in the present window."""
        with self._lock:
            count, ends = self._windows.get(key, (0, 0.0))
            if count > 0:
                self._windows[key] = (count - 1, ends)


class SharedCounters:
    """Asks `shared` while it answers, else `local`; tells `note_local` 1 then, 0 otherwise."""

    def __init__(self, shared: Counters, local: Counters, note_local: Callable[[float], None]) -> None:
        self._shared = shared
        self._local = local
        self._note_local = note_local
        self._resting_until = float("-inf")

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; answers the count and the seconds left of the window."""
        answer: tuple[int, float] = self._ask("hit", key, seconds)
        return answer

    def give_back(self, key: str) -> None:
        """Counts one less in the present window."""
        self._ask("give_back", key)

    def _ask(self, verb: str, *arguments: Any) -> Any:
        if time.monotonic() >= self._resting_until:
            try:
                answer = getattr(self._shared, verb)(*arguments)
                self._note_local(0)
                return answer
            except RedisError as error:
                self._resting_until = time.monotonic() + _REST
                self._note_local(1)
                log.warning("attempts counted locally", error=type(error).__name__)
        return getattr(self._local, verb)(*arguments)
