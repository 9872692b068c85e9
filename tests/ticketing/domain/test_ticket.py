"""A ticket's life: what its verbs allow, and what its clocks make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from ticketing.domain.clocks import Clock
from ticketing.domain.errors import TicketStatusForbids
from ticketing.domain.first_rule_book import FIRST
from ticketing.domain.judging import judge, wind_clocks
from ticketing.domain.linking import Candidate, ticket_to_join
from ticketing.domain.rulebook import Linking, read_rule_book
from ticketing.domain.ticket import Standing, Ticket, Words

BOOK = read_rule_book(1, FIRST)
ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOBODY = Standing()


def ticket(text: str = "", **more: object) -> Ticket:
    return Ticket(
        id=UUID(int=7),
        number="T00000001",
        version=0,
        kind="consultation",
        topic="",
        priority="normal",
        channel="email",
        language="zh",
        said=BOOK.said(text),
        words=Words("问题"),
        opened_at=NOON,
        heard_at=NOON,
        **more,  # type: ignore[arg-type]
    )


def wound(one: Ticket, now: datetime, standing: Standing = NOBODY) -> list[str]:
    """Names of the clocks that ran out."""
    judge(one, BOOK, standing)
    ran_out = wind_clocks(one, BOOK, standing, ZONE, now)
    one.version += 1
    return [clock.name for clock in ran_out]


def clock(one: Ticket, name: str) -> Clock:
    [found] = [clock for clock in one.clocks if clock.name == name]
    return found


def test_a_complaint_is_answered_planned_and_solved_on_clocks_of_their_own() -> None:
    one = ticket("我要投诉")
    assert wound(one, NOON) == []
    assert (one.kind, one.priority) == ("complaint", "high")
    assert one.next_clock is clock(one, "complaint_answer")
    one.answer(NOON + HOUR / 2, awaits_reply=False, states_plan=False)
    wound(one, NOON + HOUR / 2)
    assert clock(one, "complaint_answer").state == "met"
    assert one.next_clock is clock(one, "complaint_plan")
    one.answer(NOON + 20 * HOUR, awaits_reply=False, states_plan=True)
    wound(one, NOON + 20 * HOUR)
    assert one.next_clock is clock(one, "complaint_solve")
    one.resolve(NOON + 40 * HOUR, "已换货")
    assert wound(one, NOON + 40 * HOUR) == []
    assert {each.state for each in one.clocks} == {"met"}


def test_waiting_for_the_customer_stops_the_clock_that_pauses_and_no_other() -> None:
    one = ticket("我要投诉")
    wound(one, NOON)
    one.answer(NOON + HOUR / 2, awaits_reply=True, states_plan=False)
    wound(one, NOON + HOUR / 2)
    assert one.status == "pending"
    assert clock(one, "complaint_solve").state == "paused"
    assert clock(one, "complaint_plan").due_at == NOON + 24 * HOUR
    one.hear(NOON + 10 * HOUR, ())
    wound(one, NOON + 10 * HOUR)
    assert clock(one, "complaint_solve").due_at == NOON + (48 + 9.5) * HOUR


def test_a_clock_runs_out_once_and_stays_breached_when_it_is_met_late() -> None:
    one = ticket("很急，设备停机")
    wound(one, NOON)
    assert wound(one, NOON + HOUR) == ["urgent_answer"]
    assert wound(one, NOON + 2 * HOUR) == []
    one.answer(NOON + 3 * HOUR, awaits_reply=False, states_plan=False)
    assert wound(one, NOON + 3 * HOUR) == []
    assert (clock(one, "urgent_answer").state, clock(one, "urgent_answer").met_at) == (
        "breached",
        NOON + 3 * HOUR,
    )


def test_an_answer_that_came_too_late_breaches_even_when_no_timer_had_fired() -> None:
    one = ticket("很急，设备停机")
    wound(one, NOON)
    one.answer(NOON + 2 * HOUR, awaits_reply=False, states_plan=False)
    assert wound(one, NOON + 2 * HOUR) == ["urgent_answer"]


def test_an_answer_in_the_last_second_is_in_time() -> None:
    one = ticket("很急，设备停机")
    wound(one, NOON)
    one.answer(NOON + HOUR, awaits_reply=False, states_plan=False)
    assert wound(one, NOON + HOUR) == []
    assert clock(one, "urgent_answer").state == "met"


def test_what_becomes_urgent_later_wants_an_answer_of_its_own_from_then_on() -> None:
    one = ticket()
    wound(one, NOON)
    one.answer(NOON + HOUR, awaits_reply=False, states_plan=False)
    one.hear(NOON + 5 * HOUR, ("urgent",))
    wound(one, NOON + 5 * HOUR)
    assert clock(one, "urgent_answer").due_at == NOON + 6 * HOUR
    one.answer(NOON + 5.5 * HOUR, awaits_reply=False, states_plan=False)
    wound(one, NOON + 5.5 * HOUR)
    assert clock(one, "urgent_answer").state == "met"


def test_a_ticket_that_is_reopened_goes_on_from_where_its_clock_stood() -> None:
    one = ticket("我要投诉")
    wound(one, NOON)
    one.resolve(NOON + 10 * HOUR, "已换货")
    wound(one, NOON + 10 * HOUR)
    one.reopen(NOON + 110 * HOUR)
    assert wound(one, NOON + 110 * HOUR) == []
    assert clock(one, "complaint_solve").due_at == NOON + 148 * HOUR


def test_a_clock_whose_rule_holds_no_longer_is_withdrawn() -> None:
    one = ticket("我要投诉")
    wound(one, NOON)
    one.kind, one.by_hand = "consultation", frozenset({"kind"})
    wound(one, NOON + HOUR / 2)
    assert clock(one, "complaint_plan").state == "withdrawn"
    assert one.next_clock is clock(one, "basic_answer")


def test_what_is_known_of_the_customer_changes_priority_and_clocks() -> None:
    one = ticket()
    wound(one, NOON)
    assert one.priority == "normal"
    wound(one, NOON, Standing({"spend_tier": "core"}))
    assert one.priority == "high"
    assert one.next_clock is clock(one, "valuable_answer")


def test_rules_leave_alone_what_was_set_by_hand() -> None:
    one = ticket("我要投诉", by_hand=frozenset({"priority"}))
    wound(one, NOON)
    assert (one.kind, one.priority) == ("complaint", "normal")


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        ("open", lambda one: one.close(NOON)),
        ("open", lambda one: one.reopen(NOON)),
        ("resolved", lambda one: one.resolve(NOON, "x")),
        ("closed", lambda one: one.resolve(NOON, "x")),
        ("closed", lambda one: one.hear(NOON, ())),
        ("closed", lambda one: one.answer(NOON, False, False)),
        ("closed", lambda one: one.close(NOON)),
    ],
)
def test_a_status_forbids_what_makes_no_sense(status: str, verb: object) -> None:
    one = ticket()
    one.status = status
    with pytest.raises(TicketStatusForbids):
        verb(one)  # type: ignore[operator]
    assert one.status == status


LINKING = Linking(timedelta(hours=72), same_kind=True, same_topic=True)


@pytest.mark.parametrize(
    ("kind", "topic", "hours", "joined"),
    [
        ("consultation", "invoice", 71, True),
        ("consultation", "invoice", 72, False),
        ("consultation", "", 1, True),
        ("consultation", "refund", 1, False),
        ("complaint", "invoice", 1, False),
    ],
)
def test_what_is_said_again_joins_the_ticket_of_the_same_concern(
    kind: str, topic: str, hours: int, joined: bool
) -> None:
    held = Candidate(UUID(int=1), "consultation", "invoice", NOON)
    found = ticket_to_join(kind, topic, NOON + hours * HOUR, [held], LINKING)
    assert found == (held.ticket_id if joined else None)


def test_of_several_the_one_spoken_to_last_is_joined() -> None:
    held = [Candidate(UUID(int=n), "consultation", "", NOON + n * HOUR) for n in (2, 3, 1)]
    assert ticket_to_join("consultation", "", NOON + 4 * HOUR, held, LINKING) == UUID(int=3)
