"""An erasure ends when everybody has erased and, told again, found nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.erasure import ErasedRows, RetainedRows
from privacy.domain import erasure as rules
from privacy.domain.erasure import TRIES, Answer, Erasure, State, TaskState, alarm_times
from privacy.domain.errors import ErasureNotInState

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
PERSON = UUID(int=7)
SERVICES = ("customer", "sales", "ticketing")
KEPT = (RetainedRows("contract", date(2031, 1, 1), 2),)


@pytest.fixture(autouse=True)
def three_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PARTICIPANTS", SERVICES)


def begun() -> Erasure:
    erasure = Erasure(UUID(int=1), PERSON, NOON, NOON + timedelta(days=15))
    erasure.verify("called back")
    erasure.identify([UUID(int=8)])
    assert erasure.begin(held=False)
    return erasure


def answer(service: str, attempt: int, rows: int = 0, kept: tuple[RetainedRows, ...] = ()) -> Answer:
    return Answer(service, attempt, (ErasedRows("people", rows), ErasedRows("keys", rows)), kept)


def everybody(erasure: Erasure, rows: int = 0, ids: tuple[UUID, ...] = ()) -> None:
    """All answer the last order; looked up again when they have erased, the person has these `ids`."""
    attempt = erasure.attempt
    asked = [erasure.receive(answer(service, attempt, rows), NOON) for service in SERVICES]
    if asked[-1]:
        erasure.confirm(ids)


def test_everybody_is_told_twice_and_then_it_is_closed() -> None:
    erasure = begun()
    everybody(erasure, rows=3)
    assert (erasure.state, erasure.attempt) == (State.KEY_SHREDDED, 2)
    everybody(erasure)
    assert (erasure.state, erasure.closed_at, erasure.outcome) == (State.CLOSED, NOON, "erased")
    assert erasure.tasks["sales"].counts == {"people": 3, "keys": 3}


def test_while_somebody_still_finds_something_it_is_not_closed() -> None:
    erasure = begun()
    everybody(erasure, rows=3)
    everybody(erasure, rows=1)
    assert (erasure.state, erasure.silent) == (State.KEY_SHREDDED, list(SERVICES))
    erasure.remind()
    everybody(erasure)
    assert erasure.state is State.CLOSED


def test_what_the_law_commands_to_keep_is_told() -> None:
    erasure = begun()
    for service in SERVICES:
        erasure.receive(answer(service, 1, 1, KEPT if service == "sales" else ()), NOON)
    erasure.confirm([])
    everybody(erasure)
    assert erasure.outcome == "retained"
    assert [task.state for task in erasure.tasks.values()] == [
        TaskState.ERASED, TaskState.RETAINED, TaskState.ERASED,
    ]  # fmt: skip


def test_who_was_merged_with_the_person_meanwhile_is_erased_too() -> None:
    """A merge that came between the look at who they are and the rest of their data."""
    erasure = begun()
    late = UUID(int=9)
    everybody(erasure, rows=3, ids=(PERSON, late))
    assert (erasure.state, erasure.attempt) == (State.ERASING, 2)
    assert late in erasure.subject_ids
    assert erasure.silent == list(SERVICES)
    erasure.receive(answer("sales", 1, 1), NOON)
    assert "sales" in erasure.silent
    everybody(erasure, rows=1, ids=(PERSON, late))
    assert (erasure.state, erasure.attempt) == (State.KEY_SHREDDED, 3)
    everybody(erasure)
    assert erasure.state is State.CLOSED


def test_a_hold_stops_it_before_it_begins() -> None:
    erasure = Erasure(UUID(int=1), PERSON, NOON, NOON + timedelta(days=15))
    erasure.verify("called back")
    erasure.identify([])
    assert not erasure.begin(held=True)
    assert erasure.state is State.HELD
    assert erasure.begin(held=False)
    assert erasure.state is State.ERASING


def test_who_does_not_answer_fails_after_all_tries_and_may_still_answer() -> None:
    erasure = begun()
    erasure.receive(answer("customer", 1, 1), NOON)
    failed = [erasure.remind() for _ in range(TRIES + 1)]
    assert failed == [[]] * (TRIES - 1) + [["sales", "ticketing"], []]
    assert erasure.next_wait() == timedelta(hours=1)
    everybody(erasure)
    assert erasure.state is State.KEY_SHREDDED
    everybody(erasure)
    assert erasure.state is State.CLOSED


def test_it_can_be_refused_until_it_is_begun() -> None:
    erasure = Erasure(UUID(int=1), PERSON, NOON, NOON + timedelta(days=15))
    erasure.refuse("legal_duty", "税务稽查", NOON)
    assert (erasure.state, erasure.outcome) == (State.REFUSED, "refused")
    with pytest.raises(ErasureNotInState):
        erasure.verify("too late")
    with pytest.raises(ErasureNotInState):
        begun().refuse("legal_duty", "税务稽查", NOON)


def test_opened_again_everybody_erases_and_must_find_nothing_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Answers from before it was closed say nothing of what a backup brought back."""
    erasure = begun()
    everybody(erasure, rows=3)
    everybody(erasure)
    old = erasure.attempt
    monkeypatch.setattr(rules, "PARTICIPANTS", (*SERVICES, "later"))
    erasure.reopen(NOON + timedelta(days=20))
    assert (erasure.state, erasure.attempt, erasure.closed_at) == (State.ERASING, old + 1, NOON)
    assert {task.state for task in erasure.tasks.values()} == {TaskState.PENDING}
    for service in (*SERVICES, "later"):
        assert not erasure.receive(answer(service, old), NOON)
    assert sorted(erasure.silent) == sorted([*SERVICES, "later"])
    for rows in (2, 0):
        again = NOON + timedelta(days=5)
        asked = [erasure.receive(answer(one, erasure.attempt, rows), again) for one in (*SERVICES, "later")]
        if asked[-1]:
            assert erasure.confirm([]) == ()
    assert (erasure.state, erasure.closed_at) == (State.CLOSED, again)
    assert erasure.tasks["sales"].counts == {"people": 5, "keys": 5}


def test_only_what_is_closed_is_opened_again() -> None:
    with pytest.raises(ErasureNotInState):
        begun().reopen(NOON)


def test_alarms_come_at_half_and_four_fifths_and_the_whole_of_the_time() -> None:
    times = alarm_times(NOON, NOON + timedelta(days=15))
    assert times == {
        50: NOON + timedelta(days=7.5),
        80: NOON + timedelta(days=12),
        100: NOON + timedelta(days=15),
    }


@given(st.integers(0, 2**32))
def test_whatever_way_the_receipts_come_it_ends_and_never_too_early(seed: int) -> None:
    """Participants are killed, answer late, twice, out of order; orders are repeated; nothing is lost.

    The oracle: closed only when each participant has nothing left, and did answer so to an order that was
    given after everybody had erased.
    """
    chance = Random(seed)
    erasure = begun()
    world = World(chance)
    for order in world.life(erasure):
        world.told(order)
    assert erasure.state is State.CLOSED
    assert not any(world.left.values())
    for service, task in erasure.tasks.items():
        # A receipt may still be on its way: the certificate counts what was heard, never twice.
        assert task.counts["people"] <= world.erased[service]
        assert erasure.check_from <= task.clean


class World:
    """Three services with rows, and a network that loses no message and keeps no order."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.left = {service: chance.randrange(4) for service in SERVICES}
        self.erased = dict.fromkeys(SERVICES, 0)
        self._orders: list[tuple[str, int]] = []
        self._answers: list[Answer] = []

    def told(self, attempt: int) -> None:
        self._orders += [(service, attempt) for service in SERVICES]

    def life(self, erasure: Erasure) -> Iterator[int]:
        """Random steps until it is closed; yields each order that is given."""
        yield erasure.attempt
        for step in range(2_000):
            if erasure.ended:
                return
            move = self._chance.random()
            if move < 0.45 and self._orders:
                self._erase(*self._orders.pop(self._chance.randrange(len(self._orders))))
            elif move < 0.9 and self._answers:
                place = self._chance.randrange(len(self._answers))
                # Some receipts are told twice.
                told = self._answers[place] if self._chance.random() < 0.2 else self._answers.pop(place)
                if erasure.receive(told, NOON):
                    self._look_up(erasure)
                    yield erasure.attempt
            elif step % 7 == 0:
                erasure.remind()
                yield erasure.attempt

    def _look_up(self, erasure: Erasure) -> None:
        """Somebody was merged with the person meanwhile, now and then, and everybody holds data of them."""
        merged = len(erasure.subject_ids) < 5 and self._chance.random() < 0.3
        if erasure.confirm([UUID(int=100 + len(erasure.subject_ids))] if merged else []):
            for service in SERVICES:
                self.left[service] += self._chance.randrange(3)

    def _erase(self, service: str, attempt: int) -> None:
        rows, self.left[service] = self.left[service], 0
        self.erased[service] += rows
        self._answers.append(answer(service, attempt, rows))
