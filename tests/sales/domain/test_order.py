"""What makes an order right, and what it is worth in the base currency."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Invalid
from kernel.pure.money import Money
from sales.domain.order import Exchange, Order, OrderStatus, read_order
from tests.sales.drafts import ORDER, RULES, line, money, order

USD = {"total": money("100.00", "USD"), "exchange_rate": "7.10", "rate_on": "2026-03-01"}


def read(**changes: Any) -> Order:
    return read_order(order(**changes), RULES)


def refusals(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read(**changes)
    return [(violation.field, violation.rule) for violation in refused.value.violations]


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def test_an_order_in_the_base_currency_is_worth_what_was_paid_and_not_paid_back() -> None:
    read_so = read(total=money("1177.00"), refunded=money("77.50"))
    assert (read_so.base, read_so.exchange) == (cny("1099.50"), None)


def test_nothing_was_paid_back_when_the_erp_does_not_say() -> None:
    assert read(refunded=None).refunded == cny("0.00")


def test_an_order_may_be_for_nothing() -> None:
    assert read(total=money("0.00")).base == cny("0.00")


def test_an_order_in_another_currency_is_converted_at_its_rate() -> None:
    read_so = read(**USD | {"refunded": money("10.01", "USD")})
    assert read_so.exchange == Exchange(Decimal("7.10"), date(2026, 3, 1))
    assert read_so.base == cny("638.93")


@pytest.mark.parametrize("rate", ["", "0", "0.000", "-7", "7,1", "abc", "NaN", "1e3", "７.1", "1234567890"])
def test_a_rate_is_a_number_above_0(rate: str) -> None:
    assert refusals(**USD | {"exchange_rate": rate}) == [("exchange_rate", "POSITIVE_DECIMAL")]


def test_a_rate_has_a_day() -> None:
    assert refusals(**USD | {"rate_on": ""}) == [("rate_on", "DATE_FORMAT")]


def test_a_rate_in_the_base_currency_is_1_or_absent() -> None:
    assert read(exchange_rate="1.0000").exchange is None
    assert refusals(exchange_rate="7.1") == [("exchange_rate", "BASE_CURRENCY")]
    assert refusals(exchange_rate="x") == [("exchange_rate", "POSITIVE_DECIMAL")]


def test_the_total_is_the_sum_of_the_lines() -> None:
    lines = (line("1000.00"), line("200.00"), line("-23.00"))
    assert len(read(lines=lines).lines) == 3
    assert refusals(lines=lines[:2]) == [("total.amount", "SUM_OF_LINES")]


def test_lines_are_in_the_currency_of_the_total() -> None:
    lines = (line("1000.00"), line("177.00", "USD"))
    assert refusals(lines=lines) == [("lines[1].amount.currency_code", "OTHER_CURRENCY")]


def test_a_line_names_its_product_and_a_quantity_above_0() -> None:
    lines = (line("1000.00", quantity="0"), line("177.00", product=""))
    assert refusals(lines=lines) == [
        ("lines[0].quantity", "POSITIVE_DECIMAL"),
        ("lines[1].product", "REQUIRED"),
    ]


def test_no_more_is_paid_back_than_was_paid() -> None:
    assert read(refunded=money("1177.00")).base == cny("0.00")
    assert refusals(refunded=money("1177.01")) == [("refunded.amount", "ABOVE_TOTAL")]


def test_paid_back_is_in_the_currency_of_the_total() -> None:
    assert refusals(refunded=money("1.00", "USD")) == [("refunded.currency_code", "OTHER_CURRENCY")]


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.005", "CNY"), ("1.5", "JPY"), ("", "CNY"), ("1,00", "CNY"), ("1e3", "CNY")]
)
def test_an_amount_has_no_more_fraction_digits_than_its_currency(amount: str, currency: str) -> None:
    changes = USD | {"total": money(amount, currency)}
    assert ("total.amount", "AMOUNT_FORMAT") in refusals(**changes)


def test_an_amount_is_not_negative() -> None:
    assert refusals(total=money("-1.00")) == [("total.amount", "NEGATIVE")]


@pytest.mark.parametrize("day", ["1969-12-31", "2027-07-02", "9999-12-31"])
def test_an_order_lies_neither_before_1970_nor_in_the_far_future(day: str) -> None:
    assert refusals(ordered_on=day) == [("ordered_on", "DATE_RANGE")]


@pytest.mark.parametrize("day", ["", "2026-02-29", "20260301", "1.3.2026", "2026-W01-1", "2026-3-01"])
def test_a_day_is_written_in_one_form(day: str) -> None:
    assert refusals(ordered_on=day) == [("ordered_on", "DATE_FORMAT")]


def test_an_order_without_status_is_placed_and_an_unknown_one_is_refused() -> None:
    assert read(status="").status is OrderStatus.PLACED
    assert refusals(status="99") == [("status", "STATUS")]


def test_all_wrong_fields_are_named_at_once() -> None:
    draft = replace(
        ORDER, source="", value="a\x00b", source_version=0, customer_id="7", ordered_on="x", total=None
    )
    with pytest.raises(Invalid) as refused:
        read_order(draft, RULES)
    assert [(v.field, v.rule) for v in refused.value.violations] == [
        ("external_id.source", "REQUIRED"),
        ("external_id.value", "CONTROL_CHARACTERS"),
        ("source_version", "REQUIRED"),
        ("customer_id", "ID_FORMAT"),
        ("ordered_on", "DATE_FORMAT"),
        ("total", "REQUIRED"),
    ]


def test_an_amount_too_large_to_hold_in_the_base_currency_is_refused() -> None:
    changes = USD | {"total": money("999999999999999.99", "USD")}
    assert refusals(**changes) == [("exchange_rate", "BASE_AMOUNT")]


cents = st.integers(0, 10**14)


@given(st.lists(cents, min_size=1, max_size=20), cents)
def test_the_sum_of_the_lines_is_exact_and_one_cent_off_is_refused(amounts: list[int], offset: int) -> None:
    total = sum(amounts)
    written = [line(f"{amount // 100}.{amount % 100:02}") for amount in amounts]
    right = money(f"{total // 100}.{total % 100:02}")
    assert read(lines=written, total=right).total.amount == Decimal(total) / 100
    wrong = total + 1 + offset
    assert refusals(lines=written, total=money(f"{wrong // 100}.{wrong % 100:02}")) == [
        ("total.amount", "SUM_OF_LINES")
    ]


@given(cents, cents, st.decimals("0.000000001", "999.999999999", places=9))
def test_the_base_amount_is_the_exact_product_rounded_once(total: int, refunded: int, rate: Decimal) -> None:
    refunded = min(refunded, total)
    read_so = read(
        total=money(f"{total // 100}.{total % 100:02}", "USD"),
        refunded=money(f"{refunded // 100}.{refunded % 100:02}", "USD"),
        exchange_rate=f"{rate:f}",
        rate_on="2026-03-01",
    )
    with localcontext(prec=200):
        exact = (Decimal(total - refunded) / 100 * rate).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert read_so.base == Money(exact, "CNY")
