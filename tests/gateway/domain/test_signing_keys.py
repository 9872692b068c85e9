"""Whenever the clock looks, every token can be verified for as long as it lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sessions import ACCESS_TOKEN_LIFE
from gateway.domain.signing_keys import PUBLISHED_AHEAD, SigningKey, keys_due, retired_keys, signing_key

START = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=30)


class KeySet:
    """The keys as the hourly job leaves them, with the instant at which each was published."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []
        self.published: dict[str, datetime] = {}

    def look(self, now: datetime) -> None:
        due, retired = keys_due(self.keys, now, PERIOD), retired_keys(self.keys, now)
        for signs_from in due:
            kid = str(len(self.published))
            self.keys.append(SigningKey(kid, "x", "y", signs_from))
            self.published[kid] = now
        self.keys = [key for key in self.keys if key not in retired]


def test_the_first_look_makes_a_key_that_signs_and_the_next() -> None:
    keys = KeySet()
    keys.look(START)
    assert [key.signs_from for key in keys.keys] == [START, START + PERIOD]
    keys.look(START)
    assert len(keys.keys) == 2


def test_a_key_signs_for_its_period() -> None:
    keys = KeySet()
    keys.look(START)
    first, second = keys.keys
    assert signing_key(keys.keys, START + PERIOD - timedelta(seconds=1)) == first
    assert signing_key(keys.keys, START + PERIOD) == second


def test_an_old_key_stays_until_its_last_token_has_expired() -> None:
    keys = KeySet()
    keys.look(START)
    first = keys.keys[0]
    keys.look(START + PERIOD + ACCESS_TOKEN_LIFE)
    assert first in keys.keys
    keys.look(START + PERIOD + timedelta(hours=1))
    assert first not in keys.keys
    assert len(keys.keys) == 2


# Gaps between two looks: mostly an hour, sometimes the jobs process was down for weeks.
gaps = st.lists(
    st.one_of(
        st.just(timedelta(hours=1)),
        st.timedeltas(min_value=timedelta(), max_value=timedelta(days=100)),
    ),
    min_size=1,
    max_size=40,
)


@given(gaps, st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_every_token_is_verifiable_while_it_lives(waits: list[timedelta], fractions: list[float]) -> None:
    keys, now = KeySet(), START
    keys.look(now)
    issued: list[tuple[datetime, str]] = []
    for wait in waits:
        for fraction in sorted(fractions):
            at = now + wait * fraction
            issued.append((at, signing_key(keys.keys, at).kid))
        now += wait
        keys.look(now)
        held = {key.kid for key in keys.keys}
        assert all(kid in held for at, kid in issued if at + ACCESS_TOKEN_LIFE > now)


@given(gaps)
def test_a_key_is_published_long_before_it_signs(waits: list[timedelta]) -> None:
    keys, now = KeySet(), START
    keys.look(now)
    first = keys.keys[0]
    for wait in waits:
        now += wait
        keys.look(now)
        for key in keys.keys:
            if key.kid != first.kid:
                assert key.signs_from - keys.published[key.kid] >= PUBLISHED_AHEAD
        assert any(key.signs_from > now for key in keys.keys)
