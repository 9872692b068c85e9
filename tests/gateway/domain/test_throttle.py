"""How often somebody may try; the counters in Redis and in memory behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as RedisAway

from gateway.domain.errors import SignInRefused, TooManyAttempts
from gateway.domain.throttle import Counters, Limit, Throttle
from kernel.pure.errors import CrmError, StoreUnavailable
from kernel.sql.counters import LocalCounters, RedisCounters, SharedCounters
from tests.support.servers import eventually, setting


@pytest.fixture(params=["redis", "local"])
def counters(request: pytest.FixtureRequest) -> Iterator[Counters]:
    if request.param == "local":
        yield LocalCounters()
        return
    shared = RedisCounters(setting("CRM_TEST_REDIS_URL"), "test:")
    yield shared
    shared.close()


class Stranger:
    """Attempts at a name and from an address that no other test uses."""

    def __init__(self, counters: Counters, attempts: int = 3, per_address: int = 5) -> None:
        self._throttle = Throttle(counters, Limit(attempts, 60), Limit(per_address, 60))
        self.name, self.address = str(uuid4()), str(uuid4())

    def tries(self, error: type[Exception] | None = SignInRefused, name: str | None = None) -> bool:
        """One attempt that ends in `error`; answers whether it was let through."""
        outcome: BaseException | None = None
        try:
            with self._throttle.attempt("password", self.name if name is None else name, self.address):
                if error is not None:
                    raise error
        except CrmError as raised:
            outcome = raised
        if isinstance(outcome, TooManyAttempts):
            assert 0 < (outcome.retry_after or 0) <= 60
            return False
        assert type(outcome) is (error or type(None))
        return True


def test_guesses_at_one_login_are_refused_after_some(counters: Counters) -> None:
    stranger = Stranger(counters)
    assert [stranger.tries() for _ in range(5)] == [True, True, True, False, False]


def test_guesses_from_one_address_are_refused_whatever_the_login(counters: Counters) -> None:
    stranger = Stranger(counters)
    let_through = [stranger.tries(name=str(uuid4())) for _ in range(7)]
    assert let_through == [True] * 5 + [False] * 2


def test_success_is_not_counted(counters: Counters) -> None:
    stranger = Stranger(counters)
    assert all(stranger.tries(error=None) for _ in range(10))


def test_our_own_failures_are_not_counted(counters: Counters) -> None:
    stranger = Stranger(counters)
    assert all(stranger.tries(error=StoreUnavailable) for _ in range(10))


def test_a_refused_attempt_does_not_lengthen_the_wait(counters: Counters) -> None:
    key = str(uuid4())
    first, left = counters.hit(key, 60)
    counters.give_back(key)
    second, still_left = counters.hit(key, 60)
    assert (first, second) == (1, 1)
    assert still_left <= left


def test_giving_back_what_has_expired_leaves_nothing(counters: Counters) -> None:
    key = str(uuid4())
    counters.give_back(key)
    assert counters.hit(key, 60)[0] == 1


def test_a_window_ends(counters: Counters) -> None:
    key = str(uuid4())
    counters.hit(key, 0.05)
    eventually(lambda: counters.hit(key, 0.05)[0] == 1, seconds=5)


class AwayCounters:
    """Redis that is down."""

    asked = 0

    def hit(self, key: str, seconds: float) -> tuple[int, float]:
        self.asked += 1
        raise RedisAway

    def give_back(self, key: str) -> None:
        self.asked += 1
        raise RedisAway


def test_without_redis_each_process_counts_for_itself() -> None:
    noted: list[float] = []
    stranger = Stranger(SharedCounters(AwayCounters(), LocalCounters(), noted.append))
    assert [stranger.tries() for _ in range(5)] == [True, True, True, False, False]
    assert noted == [1]


def test_redis_that_failed_is_left_alone_for_a_while() -> None:
    away = AwayCounters()
    counters = SharedCounters(away, LocalCounters(), [].append)
    for _ in range(10):
        counters.hit("k", 60)
    assert away.asked == 1


def test_redis_that_answers_is_what_counts() -> None:
    local = LocalCounters()
    key = str(uuid4())
    shared = RedisCounters(setting("CRM_TEST_REDIS_URL"), "test:")
    noted: list[float] = []
    counters = SharedCounters(shared, local, noted.append)
    counters.hit(key, 60)
    assert local.hit(key, 60)[0] == 1
    assert shared.hit(key, 60)[0] == 2
    assert noted == [0]
    shared.close()


def test_only_hashes_leave_the_process() -> None:
    class Listening:
        keys: list[str] = []  # noqa: RUF012

        def hit(self, key: str, seconds: float) -> tuple[int, float]:
            self.keys.append(key)
            return 1, seconds

        def give_back(self, key: str) -> None:
            self.keys.append(key)

    listening = Listening()
    with Throttle(listening, Limit(1, 1), Limit(1, 1)).attempt("password", "hunter2hunter2", "203.0.113.7"):
        assert listening.keys
    assert not any("hunter2" in key or "203.0" in key for key in listening.keys)
