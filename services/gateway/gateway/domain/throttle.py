"""How often somebody may try to sign in, by whom they say they are and by where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from gateway.domain.errors import TooManyAttempts
from kernel.pure.errors import Unauthenticated


class Counters(Protocol):
    """Counts within windows of time; may forget."""

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        """Counts one more; the window of `seconds` begins with the first.

        Answers the count and the seconds left of the window.
        """

    def give_back(self, key: str) -> None:
        """Counts one less in the present window, if there is one."""


@dataclass(frozen=True)
class Limit:
    """So many failures within so many seconds."""

    attempts: int
    seconds: float


class Throttle:
    """Counts an attempt before it is made, so that a thousand at once are no way around it."""

    def __init__(self, counters: Counters, per_name: Limit, per_address: Limit) -> None:
        self._counters = counters
        self._per_name = per_name
        self._per_address = per_address

    @contextmanager
    def attempt(self, way: str, name: str, address: str) -> Iterator[None]:
        """Around one attempt by `way` ("password"); an empty `name` or `address` is not counted.

        Raises TooManyAttempts. Only what ends in Unauthenticated remains counted.
        """
        wanted = [("name", f"{way}:{name}", self._per_name)] if name else []
        wanted += [("address", address, self._per_address)] if address else []
        counted: list[str] = []
        try:
            for kind, value, limit in wanted:
                key = _key(kind, value)
                count, left = self._counters.hit(key, limit.seconds)
                counted.append(key)
                if count > limit.attempts:
                    raise TooManyAttempts(left)
            yield
        except Unauthenticated:
            raise
        except BaseException:
            self._give_back(counted)
            raise
        self._give_back(counted)

    def _give_back(self, keys: list[str]) -> None:
        for key in keys:
            self._counters.give_back(key)


def _key(kind: str, value: str) -> str:
    """People type passwords where the login belongs: only a hash leaves this process."""
    return f"{kind}:{blake2b(value.encode(), digest_size=16).hexdigest()}"
