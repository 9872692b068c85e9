"""A customer is 已成交 from the win of an opportunity on, unless the contract is cancelled (S-22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from customer.domain.told import ContractRow, DealRow
from customer.store import finding, queries
from customer.usecases.merge_customers import merge_customers
from customer.usecases.unmerge_customer import unmerge_customer
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.customer.conftest import NOON
from tests.customer.groups.world import EVERYBODY, SERVICE, customer, group, members, settle

WON, NOT_WON = 'deal_status == "won"', 'deal_status == ""'


def win(app: CustomerApp, customer_id: UUID, contract_id: UUID | None = None) -> UUID:
    contract_id = contract_id or new_id()
    with app.work(SERVICE) as work:
        work.deals.apply(DealRow(new_id(), 5, customer_id, contract_id, Decimal("19200"), "CNY", NOON))
    return contract_id


def change(app: CustomerApp, customer_id: UUID, contract_id: UUID, version: int, status: str) -> None:
    with app.work(SERVICE) as work:
        work.deals.apply_contracts([ContractRow(contract_id, version, customer_id, status)])


def won(app: CustomerApp, customer_id: UUID, principal: Principal = EVERYBODY) -> bool:
    row = queries.get_customer(app.reader, principal, customer_id)
    assert row is not None
    return bool(row.won)


def listed(app: CustomerApp, filter_text: str) -> set[UUID]:
    rows, _ = finding.page(app.reader, EVERYBODY, finding.listing(filter_text, "", False), None, 50)
    return {row.id for row in rows}


def test_a_won_opportunity_makes_its_customer_one_with_a_deal(app: CustomerApp) -> None:
    first, second = customer(app), customer(app)
    win(app, first)
    assert (won(app, first), won(app, second)) == (True, False)
    assert (listed(app, WON), listed(app, NOT_WON)) == ({first}, {second})
    assert listed(app, 'deal_status in ["won", ""]') == {first, second}
    assert listed(app, 'deal_status in ["lost"]') == set()


@pytest.mark.parametrize("contract_first", [True, False])
def test_a_cancelled_contract_is_no_deal_in_whatever_order_it_is_told(
    app: CustomerApp, contract_first: bool
) -> None:
    customer_id, contract_id = customer(app), new_id()
    if contract_first:
        change(app, customer_id, contract_id, 2, "cancelled")
        win(app, customer_id, contract_id)
    else:
        win(app, customer_id, contract_id)
        change(app, customer_id, contract_id, 1, "draft")
        assert won(app, customer_id)
        change(app, customer_id, contract_id, 2, "cancelled")
    assert not won(app, customer_id)
    assert listed(app, WON) == set()
    # What ended by itself, or goes on in another contract, was a deal.
    change(app, customer_id, win(app, customer_id), 4, "expired")
    assert won(app, customer_id)


def test_the_deals_of_those_merged_into_a_customer_are_its_deals(app: CustomerApp) -> None:
    survivor, absorbed = customer(app), customer(app)
    win(app, absorbed)
    with app.work(EVERYBODY) as work:
        merge_customers(work, survivor, [absorbed])
    assert won(app, survivor)
    assert listed(app, WON) == {survivor}
    with app.work(EVERYBODY) as work:
        unmerge_customer(work, absorbed)
    assert (won(app, survivor), won(app, absorbed)) == (False, True)


def test_groups_follow_deals(app: CustomerApp) -> None:
    customer_id = customer(app)
    buyers, others = group(app, WON), group(app, NOT_WON)
    settle(app)
    assert (members(app, buyers), members(app, others)) == (set(), {customer_id})
    contract_id = win(app, customer_id)
    settle(app)
    assert (members(app, buyers), members(app, others)) == ({customer_id}, set())
    change(app, customer_id, contract_id, 2, "cancelled")
    settle(app)
    assert (members(app, buyers), members(app, others)) == (set(), {customer_id})


def test_a_day_gone_by_shows_the_status_of_then(app: CustomerApp) -> None:
    customer_id = customer(app)
    with app.work(SERVICE) as work:
        later = NOON + timedelta(days=2)
        work.deals.apply(DealRow(new_id(), 5, customer_id, new_id(), Decimal(1), "CNY", later))

    def then(day: int) -> bool:
        at = datetime(2026, 7, day, 12, tzinfo=UTC)
        row = queries.get_customer_as_of(app.reader, EVERYBODY, customer_id, at)
        assert row is not None
        return bool(row.won)

    assert (then(1), then(3)) == (False, True)
