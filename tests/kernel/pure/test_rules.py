"""Rules as data: what is wrong is said when the rule is read, and what is right is answered by CEL."""

from __future__ import annotations

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.rules import Condition

KINDS = {"calls": int, "industry": str, "fits": bool, "tags": list[str]}
FACTS = {"calls": 3, "industry": "零售", "fits": True, "tags": ["vip"]}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("calls >= 3", True),
        ("calls > 3", False),
        ("4 > calls && fits", True),
        ('industry in ["零售", "教育"]', True),
        ('industry.startsWith("教")', False),
        ('"vip" in tags || calls == 0', True),
        ("!fits", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert Condition.read(text, KINDS).holds(FACTS) is holds


LEAVES = st.sampled_from(
    [
        *("calls == 3", "calls != 3", "calls < 3", "3 >= calls", "calls in [1, 3]", "fits", "fits == false"),
        *('industry == "零售"', 'industry in ["零售"]', 'industry.startsWith("零")', '"vip" in tags'),
    ]
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda three: f"({' '.join(three)})"),
    ),
    max_leaves=8,
)


@given(
    CONDITIONS,
    st.fixed_dictionaries(
        {
            "calls": st.integers(0, 5),
            "industry": st.sampled_from(["零售", "教育", ""]),
            "fits": st.booleans(),
            "tags": st.lists(st.sampled_from(["vip", "new"]), max_size=2),
        }
    ),
)
def test_conditions_hold_when_a_cel_evaluator_says_so(text: str, facts: dict[str, object]) -> None:
    assert Condition.read(text, KINDS).holds(facts) is cel.evaluate(text, facts)


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("calls >= ", "EXPRESSION_SYNTAX", "character 10"),
        ("visits >= 1", "RULE_FACT", "visits"),
        ('calls >= "3"', "RULE_FACT", "calls"),
        ('industry > "a"', "RULE_FACT", "industry"),
        ("calls", "RULE_FACT", "calls"),
        ("calls in 3", "RULE_FACT", "calls"),
        ("tags == 3", "RULE_FACT", "tags"),
        ('"x" in industry', "RULE_FACT", "industry"),
        ("1 == 1", "COMPARISON", "constants"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(text: str, rule: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        Condition.read(text, KINDS, "rules[0].condition")
    [violation] = refused.value.violations
    assert (violation.field, violation.rule) == ("rules[0].condition", rule)
    assert says in violation.en
