"""The rule book is read whole or refused with every place that is wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kernel.pure.errors import Invalid
from ticketing.domain.first_rule_book import FIRST
from ticketing.domain.judging import Agent, least_loaded
from ticketing.domain.rulebook import RuleBook, first, read_rule_book

BOOK = read_rule_book(1, FIRST)


def facts(**changed: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("topic", "tier", "rfm"), "")
    words = {"kind": "consultation", "priority": "normal", "channel": "email", "language": "zh"}
    return {**blank, **words, "known": True, "words": [], **changed}


def priority(**changed: Any) -> str:
    rule = first(BOOK.priorities, facts(**changed))
    return rule.then if rule else "normal"


def refused(**changed: Any) -> list[str]:
    with pytest.raises(Invalid) as error:
        read_rule_book(2, {**FIRST, **changed})
    return [violation.field for violation in error.value.violations]


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("我要投诉你们", ("complaint",)),
        ("我要投訴！十万火急", ("urgent", "complaint")),
        ("ＩＮＶＯＩＣＥ please", ("invoice",)),
        ("你好", ()),
    ],
)
def test_words_are_found_in_any_width_case_and_script(text: str, lists: tuple[str, ...]) -> None:
    assert BOOK.said(text) == lists


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "normal"),
        ({"words": ["urgent"]}, "urgent"),
        ({"kind": "complaint"}, "high"),
        ({"kind": "complaint", "tier": "core"}, "urgent"),
        ({"tier": "important"}, "high"),
        ({"rfm": "high_value"}, "high"),
        ({"tier": "basic", "words": ["anger"]}, "high"),
    ],
)
def test_the_first_rule_book_ranks_urgent_before_angry_before_valuable(
    changed: dict[str, Any], expected: str
) -> None:
    assert priority(**changed) == expected


def test_the_complaint_clocks_are_1_24_and_48_hours() -> None:
    found = {clock.name: clock for clock in BOOK.clocks if clock.holds(facts(kind="complaint"))}
    assert {name: (found[name].minutes, found[name].until) for name in found} == {
        "complaint_answer": (60, "answered"),
        "complaint_plan": (24 * 60, "planned"),
        "complaint_solve": (48 * 60, "solved"),
        "basic_answer": (48 * 60, "answered"),
    }


def test_every_mistake_of_a_rule_book_is_named() -> None:
    rules = [
        {"name": "one", "when": "tier ==", "then": "urgent"},
        {"name": "two", "when": "age > 3", "then": "urgent"},
        {"name": "three", "when": 'kind == "complaint"', "then": "highest"},
        {"name": "Four", "when": "tier", "then": "low"},
    ]
    assert refused(priorities=rules, capacity=0, hours={"opens": "18:00", "closes": "09:00"}) == [
        "priorities[0].when",
        "priorities[1].when",
        "priorities[2].then",
        "priorities[3].name",
        "priorities[3].when",
        "capacity",
        "hours.closes",
    ]


def test_two_rules_of_one_name_are_refused() -> None:
    rule = {"name": "one", "when": "", "then": "a"}
    assert refused(topics=[rule, rule]) == ["topics"]


def test_a_day_off_of_the_enterprise_beats_the_calendar() -> None:
    book: RuleBook = read_rule_book(
        2, {**FIRST, "hours": {"opens": "09:00", "closes": "18:00", "days_off": ["2026-06-30"]}}
    )
    assert (book._is_workday(next(iter(book.days_off))), BOOK._is_workday(next(iter(book.days_off)))) == (
        False,
        True,
    )


def test_the_least_loaded_agent_is_the_one_with_the_smallest_part_of_their_capacity_in_hand() -> None:
    busy, free, full, away = (
        Agent(UUID(int=1), 3, 10),
        Agent(UUID(int=2), 1, 5),
        Agent(UUID(int=3), 2, 2),
        Agent(UUID(int=4), 0, 0),
    )
    assert least_loaded([busy, free, full, away]) == free
    assert least_loaded([full, away]) is None
