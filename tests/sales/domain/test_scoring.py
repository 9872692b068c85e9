"""How good a lead is: facts are counted, rules add up, and wrong rules are refused with their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from sales.domain.scoring import COUNTED, Fact, LeadRules, Mail, Place, Scorer, ScoreRule, read_rules, summed
from sales.domain.trying import Sample, try_rules
from tests.sales.conftest import NOON

PLACE = Place("零售", "上海市", "上海市", "百度SEM")


def rules(*score_rules: tuple[str, str, int], threshold: int = 80) -> LeadRules:
    return LeadRules(
        version=1,
        score_rules=tuple(ScoreRule(*rule) for rule in score_rules),
        target_industries=("零售",),
        threshold=threshold,
        return_after=timedelta(hours=48),
        first_follow_up=timedelta(hours=24),
        second_follow_up=timedelta(hours=72),
        claims_a_day=20,
        most_held=200,
    )


def fact(kind: str, value: int = 1, key: str = "", hours_ago: int = 0) -> Fact:
    return Fact(kind, key or f"{kind} {hours_ago}", value, NOON - timedelta(hours=hours_ago))


def test_a_score_is_the_sum_of_the_rules_that_hold_with_its_reasons() -> None:
    scorer = Scorer(
        rules(("demo", "joined_demo >= 1", 25), ("fit", "industry_match", 10), ("rich", "budget > 9", 5))
    )
    score = scorer.score(PLACE, [fact("joined_demo")])
    assert (score.score, score.reasons) == (35, (("demo", 25), ("fit", 10)))
    assert score.inputs["joined_demo"] == 1
    assert score.inputs["industry"] == "零售"


def test_a_score_stays_within_0_and_100() -> None:
    assert (
        Scorer(rules(("a", "industry_match", 90), ("b", "industry_match", 90))).score(PLACE, []).score == 100
    )
    assert Scorer(rules(("a", "industry_match", -90))).score(PLACE, []).score == 0


def test_of_what_is_measured_the_latest_counts() -> None:
    known = summed([fact("budget", 70_000, hours_ago=1), fact("budget", 10, hours_ago=5)])
    assert known["budget"] == 70_000


def test_a_message_that_was_opened_and_clicked_is_a_fact_of_each_kind() -> None:
    message_id, customer_id, earlier = new_id(), new_id(), NOON - timedelta(minutes=1)
    untouched = Mail(message_id, customer_id, None, None)
    assert untouched.facts() == []
    key = str(message_id)
    assert replace(untouched, opened_at=earlier, clicked_at=NOON).facts() == [
        Fact("opened_mail", key, 1, earlier),
        Fact("clicked_mail", key, 1, NOON),
    ]


@given(st.lists(st.sampled_from(COUNTED), max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(kinds: list[str], random: object) -> None:
    facts = [fact(kind, key=f"{index}") for index, kind in enumerate(kinds)]
    mixed = list(facts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert summed(facts) == summed(mixed)
    assert sum(summed(facts).values()) == len(facts)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"score_rules": (ScoreRule("a", "joined_demo >= ", 5),)}, "rules.score_rules[0].condition"),
        ({"score_rules": (ScoreRule("a", "nonsense", 5),)}, "rules.score_rules[0].condition"),
        ({"score_rules": (ScoreRule("a", "industry_match", 500),)}, "rules.score_rules[0].points"),
        ({"score_rules": ()}, "rules.score_rules"),
        ({"threshold": 0}, "rules.threshold"),
        ({"return_after": timedelta(0)}, "rules.return_after"),
    ],
)
def test_wrong_rules_are_refused_naming_the_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_rules(replace(rules(("a", "industry_match", 5)), **changed))  # type: ignore[arg-type]
    assert [violation.field for violation in refused.value.violations] == [field]


def test_rules_survive_their_document() -> None:
    written = rules(("a", "industry_match", 5))
    assert LeadRules.of(1, written.document()) == written


def test_rules_are_tried_on_leads_without_changing_them() -> None:
    hot, cold, same = (new_id() for _ in range(3))
    samples = [
        Sample(hot, 90, PLACE._replace(industry="农业"), ()),
        Sample(cold, 0, PLACE, ()),
        Sample(same, 10, PLACE._replace(industry="农业"), (fact("joined_demo"),)),
    ]
    tried = try_rules(rules(("fit", "industry_match", 85), ("demo", "joined_demo == 1", 10)), samples, 80)
    assert (tried.leads, tried.changed, tried.reaching, tried.leaving) == (3, 2, 1, 1)
    assert [change.lead_id for change in tried.changes] == [hot, cold]
