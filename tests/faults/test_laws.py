"""Each law finds the damage that it is there for, and nothing where there is none."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.faults import laws
from tests.faults.laws import Breach

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EVENTS = st.dictionaries(
    st.integers(0, 50), st.lists(st.sampled_from("abc"), min_size=1, unique=True), min_size=1
)


def kinds(breaches: list[Breach]) -> set[str]:
    return {one.kind for one in breaches}


def whole(told: dict[int, list[str]]) -> Counter[tuple[str, int]]:
    return Counter((handler, event) for event, handlers in told.items() for handler in handlers)


@given(EVENTS)
def test_events_that_ended_are_well(told: dict[int, list[str]]) -> None:
    assert laws.conserved(told, whole(told), Counter()) == []
    assert laws.conserved(told, Counter(), whole(told)) == []


@given(EVENTS, st.data())
def test_an_event_that_vanished_is_named(told: dict[int, list[str]], data: st.DataObject) -> None:
    taken = whole(told)
    lost = data.draw(st.sampled_from(sorted(taken)))
    [found] = laws.conserved(told, taken - Counter([lost]), Counter())
    assert (found.kind, found.count, found.examples) == ("lost", 1, (str(lost),))


@given(EVENTS, st.data())
def test_an_event_that_took_effect_and_is_dead_is_named(
    told: dict[int, list[str]], data: st.DataObject
) -> None:
    taken = whole(told)
    both = data.draw(st.sampled_from(sorted(taken)))
    [found] = laws.conserved(told, taken, Counter([both]))
    assert (found.kind, found.count) == ("twice", 1)


def test_what_was_told_elsewhere_is_not_asked_for() -> None:
    assert laws.conserved({1: ["a"]}, Counter([("a", 1), ("a", 2)]), Counter([("a", 3)])) == []


def test_what_is_done_once_for_each_wish_is_well_and_anything_else_is_named() -> None:
    assert laws.once_each("law", {"a", "b"}, Counter("ab")) == []
    assert kinds(laws.once_each("law", {"a", "b"}, Counter("a"))) == {"lost"}
    assert kinds(laws.once_each("law", {"a", "b"}, Counter("aab"))) == {"twice"}
    assert kinds(laws.once_each("law", {"a"}, Counter("ab"))) == {"unexpected"}


def test_a_copy_that_lacks_adds_or_differs_is_named() -> None:
    owner = {"a": 1, "b": 2}
    assert laws.same("law", owner, dict(owner)) == []
    assert kinds(laws.same("law", owner, {"a": 1})) == {"lost"}
    assert kinds(laws.same("law", owner, {**owner, "c": 3})) == {"unexpected"}
    assert kinds(laws.same("law", owner, {**owner, "b": 1})) == {"different"}


def test_versions_without_gap_are_well_and_a_gap_or_a_repetition_is_named() -> None:
    assert laws.gapless("law", [("a", 2), ("a", 1), ("b", 1)]) == []
    for torn in ([("a", 1), ("a", 3)], [("a", 1), ("a", 1)], [("a", 2)]):
        assert kinds(laws.gapless("law", torn)) == {"torn"}


def test_what_waits_too_long_is_named_unless_something_was_down() -> None:
    stay = [("a", NOW, NOW + 15 * SECOND)]
    assert laws.young(stay, [], 15 * SECOND) == []
    assert kinds(laws.young(stay, [], 10 * SECOND)) == {"late"}
    assert laws.young(stay, [(NOW + SECOND, NOW + 8 * SECOND)], 10 * SECOND) == []
    # Outages that overlap count once.
    twice = [(NOW + SECOND, NOW + 4 * SECOND), (NOW + 2 * SECOND, NOW + 4 * SECOND)]
    assert kinds(laws.young(stay, twice, 10 * SECOND)) == {"late"}
    assert kinds(laws.young(stay, [(NOW - 60 * SECOND, NOW)], 10 * SECOND)) == {"late"}


def test_states_that_add_up_are_well_and_a_missing_or_open_message_is_named() -> None:
    assert laws.sums("law", 5, {"sent": 3, "skipped": 1, "unknown": 1}) == []
    assert kinds(laws.sums("law", 6, {"sent": 5})) == {"wrong"}
    assert kinds(laws.sums("law", 6, {"sent": 5, "attempted": 1})) == {"open"}


def test_a_mail_without_consent_or_after_the_grace_of_a_withdrawal_is_named() -> None:
    withdrawn = {"a": NOW}
    assert laws.permitted({"a": NOW + 60 * SECOND, "b": NOW}, ["a", "b"], withdrawn, 60 * SECOND) == []
    [late] = laws.permitted({"a": NOW + 61 * SECOND}, ["a"], withdrawn, 60 * SECOND)
    assert "after withdrawing" in late.law
    [never] = laws.permitted({"c": NOW}, ["a"], withdrawn, 60 * SECOND)
    assert "without consent" in never.law
