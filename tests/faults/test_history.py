"""A checker that never found anything proves nothing: each kind of damage is found."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.history import NOTHING, Findings, History, check

KEYS = st.lists(st.sampled_from([f"k{n}" for n in range(30)]), min_size=1, max_size=30, unique=True)


def history(**states: str) -> History:
    made = History()
    for key, state in states.items():
        with made.operation(key) as operation:
            operation.state = state
    return made


@given(KEYS)
def test_what_was_acknowledged_and_stands_once_is_well(keys: list[str]) -> None:
    assert check(history(**dict.fromkeys(keys, "ok")), Counter(keys)) == NOTHING


@given(KEYS, st.data())
def test_a_lost_effect_is_named(keys: list[str], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(keys))
    effects = Counter(keys) - Counter([lost])
    assert check(history(**dict.fromkeys(keys, "ok")), effects).lost == {lost}


@given(KEYS, st.data())
def test_an_effect_that_stands_twice_is_named(keys: list[str], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(keys))
    assert check(history(**dict.fromkeys(keys, "ok")), Counter([*keys, twice])).duplicated == {twice}


def test_without_an_answer_both_outcomes_are_well_and_a_second_effect_is_not() -> None:
    unanswered = history(a="unknown")
    assert check(unanswered, Counter()).clean
    assert check(unanswered, Counter("a")).clean
    assert check(unanswered, Counter("aa")).duplicated == {"a"}


def test_an_effect_of_a_refused_command_or_of_none_is_named() -> None:
    assert check(history(a="refused"), Counter("ab")) == Findings(
        frozenset(), frozenset(), frozenset({"a", "b"})
    )


def test_a_command_sent_again_is_one_command() -> None:
    again = History()
    for state in ("unknown", "ok", "ok"):
        with again.operation("a") as operation:
            operation.state = state
    assert check(again, Counter("a")).clean
