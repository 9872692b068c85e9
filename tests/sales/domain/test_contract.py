"""Contracts: the total is the sum of the lines; templates know their variables; time ends contracts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from kernel.pure.money import Money
from sales.domain.contract import (
    Contract,
    ContractStatus,
    Line,
    LineDraft,
    Template,
    Terms,
    TermsDraft,
    read_template,
    read_terms,
    total,
)
from sales.domain.errors import ContractHasEnded, ContractNotSigned
from sales.domain.reading import MoneyDraft
from tests.sales.conftest import NOON

TEMPLATE = Template("standard", 1, "合同", (("交付", "{customer} 在 {days} 天内，{days} 天"),), ("days",))
LINE = LineDraft("系统", "2", MoneyDraft("1000.50", "CNY"))
TERMS = TermsDraft([LINE], "2026-07-01", "2027-06-30", {"days": "15"})
AMOUNTS = st.decimals(-(10**6), 10**6, places=2).map(lambda amount: Money.rounded(amount, "CNY"))
LINES = st.lists(
    st.builds(Line, st.just("x"), st.decimals(Decimal("0.001"), 10**4, places=3), AMOUNTS),
    min_size=1,
    max_size=8,
)


def priced(amount: str, currency: str) -> LineDraft:
    return replace(LINE, unit_price=MoneyDraft(amount, currency))


def contract() -> Contract:
    terms = read_terms(TERMS, TEMPLATE)
    return Contract(new_id(), 1, "HT-1", new_id(), "standard", 1, terms).signed(new_id(), NOON)


@given(LINES)
def test_the_total_is_the_sum_of_the_lines_whatever_their_order(lines: list[Line]) -> None:
    assert total(lines) == total(lines[::-1])
    assert total(lines).amount == sum((line.amount.amount for line in lines), Decimal(0))
    assert total(lines).amount.as_tuple().exponent == -2


def test_terms_are_read() -> None:
    terms = read_terms(TERMS, TEMPLATE)
    assert terms == Terms(
        (Line("系统", Decimal(2), Money.parse("1000.50", "CNY")),),
        date(2026, 7, 1),
        date(2027, 6, 30),
        {"days": "15"},
    )
    assert terms.total == Money.parse("2001.00", "CNY")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"lines": []}, "terms.lines"),
        ({"lines": [replace(LINE, quantity="0")]}, "terms.lines[0].quantity"),
        (
            {"lines": [replace(LINE, unit_price=MoneyDraft("1.001", "CNY"))]},
            "terms.lines[0].unit_price.amount",
        ),
        ({"lines": [LINE, replace(LINE, unit_price=MoneyDraft("1.00", "USD"))]}, "terms.lines"),
        ({"ends_on": "2026-06-30"}, "terms.ends_on"),
        ({"variables": {}}, "terms.variables[days]"),
        ({"variables": {"days": "15", "more": "x"}}, "terms.variables"),
    ],
)
def test_terms_that_break_a_rule_are_refused_by_their_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_terms(replace(TERMS, **changed), TEMPLATE)  # type: ignore[arg-type]
    assert [violation.field for violation in refused.value.violations] == [field]


def test_a_value_is_never_read_as_a_placeholder() -> None:
    [(_, body)] = TEMPLATE.filled({"customer": "{days}", "days": "15"})
    assert body == "{days} 在 15 天内，15 天"


def test_a_template_speaks_of_known_variables_only() -> None:
    assert read_template(TEMPLATE) == TEMPLATE
    with pytest.raises(Invalid) as refused:
        read_template(replace(TEMPLATE, variables=()))
    assert {violation.field for violation in refused.value.violations} == {"template.clauses[0].body"}


def test_a_contract_is_expiring_30_days_before_its_end_and_expired_the_day_after() -> None:
    end, signed = date(2027, 6, 30), contract()
    assert signed.aged(end - timedelta(days=31)) is signed
    expiring = signed.aged(end - timedelta(days=30))
    assert (expiring.status, expiring.next_look()) == (ContractStatus.EXPIRING, date(2027, 7, 1))
    assert expiring.aged(end) is expiring
    assert expiring.aged(date(2027, 7, 1)).status is ContractStatus.EXPIRED
    assert signed.aged(date(2028, 1, 1)).status is ContractStatus.EXPIRED


def test_what_has_ended_can_not_be_cancelled_and_a_draft_not_renewed() -> None:
    expired = contract().aged(date(2028, 1, 1))
    with pytest.raises(ContractHasEnded):
        expired.cancelled()
    assert expired.renewed(new_id()).status is ContractStatus.RENEWED
    draft = replace(contract(), status=ContractStatus.DRAFT)
    with pytest.raises(ContractNotSigned):
        draft.renewed(new_id())
