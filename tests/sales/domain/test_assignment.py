"""Whose a lead becomes: region and industry first, capacity and absence respected, in turn among equals."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.ids import new_id
from sales.domain.assignment import Seller, choose_owner
from sales.domain.lead import Lead, LeadStatus
from tests.sales.conftest import NOON

TODAY = date(2026, 6, 30)


def lead(province: str = "上海市", industry: str = "零售") -> Lead:
    return Lead(
        id=new_id(), version=1, customer_id=new_id(), status=LeadStatus.NEW, score=0, source_channel="x",
        industry=industry, province=province, city="", requirement="", created_at=NOON,
    )  # fmt: skip


def seller(provinces: tuple[str, ...] = (), industries: tuple[str, ...] = (), **more: object) -> Seller:
    values = {"capacity": 10, **more}
    return Seller(new_id(), provinces, industries, **values)  # type: ignore[arg-type]


def test_who_names_province_and_industry_goes_before_who_takes_any() -> None:
    anywhere, local, expert = seller(), seller(("上海市",)), seller(("上海市",), ("零售",))
    chosen = choose_owner(lead(), [anywhere, local, expert], TODAY)
    assert (chosen.owner_id, chosen.matched) == (expert.user_id, ("province", "industry"))
    assert (chosen.candidates, chosen.equals) == (3, 1)


def test_who_can_not_get_it_is_passed_over_with_the_reason() -> None:
    sellers = {
        "province": seller(("北京市",)),
        "industry": seller((), ("教育",)),
        "absent": seller(absent_from=TODAY, absent_until=TODAY),
        "full": seller(capacity=3, held=3),
        "disabled": seller(disabled=True),
        "had it": seller(),
    }
    chosen = choose_owner(lead(), list(sellers.values()), TODAY, [sellers["had it"].user_id])
    assert chosen.owner_id is None
    assert chosen.passed_over == {str(one.user_id): reason for reason, one in sellers.items()}


def test_the_day_after_an_absence_leads_come_again() -> None:
    away = seller(absent_from=TODAY - timedelta(days=7), absent_until=TODAY - timedelta(days=1))
    assert choose_owner(lead(), [away], TODAY).owner_id == away.user_id


@given(st.integers(1, 6), st.integers(0, 40))
def test_equals_get_leads_in_turn(sellers: int, leads: int) -> None:
    known = {one.user_id: one for one in (seller(("上海市",)) for _ in range(sellers))}
    got: Counter[UUID] = Counter()
    for number in range(leads):
        chosen = choose_owner(lead(), list(known.values()), TODAY).owner_id
        if chosen is None:
            break
        got[chosen] += 1
        one = known[chosen]
        known[chosen] = replace(one, held=one.held + 1, last_assigned_at=NOON + timedelta(seconds=number))
    assert sum(got.values()) == min(leads, 10 * sellers)
    counts = [got[user_id] for user_id in known]
    assert max(counts) - min(counts) <= 1
