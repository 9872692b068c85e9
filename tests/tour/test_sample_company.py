"""The sample company as data."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import phonenumbers
import pytest

from crm_cli.sample import company
from crm_cli.tour import feed, truth
from crm_cli.tour.cdnow import Purchase
from gateway.domain.presets import ADMIN, PRESETS


def test_there_is_somebody_to_sign_in_with_each_role_preset() -> None:
    others = [ADMIN, company.PORTAL_ROLE, company.ERP_ROLE]
    assert {one.role for one in company.STAFF}.union(others) == {role.id for role in PRESETS}
    assert company.PORTAL_CUSTOMER in {one.number for one in company.people()}
    assert company.PORTAL_CUSTOMER in {one.buyer for one in company.orders()}


def test_parents_come_before_their_teams_and_staff_belong_to_teams() -> None:
    seen = {""}
    for name, parent in company.TEAMS:
        assert parent in seen
        seen.add(name)
    assert {one.team for one in company.STAFF} <= seen


def test_it_is_the_same_company_each_time() -> None:
    assert company.companies() == company.companies()
    assert company.people() == company.people()
    assert company.orders() == company.orders()


def test_it_has_60_customers_with_numbers_of_their_own_and_every_seller_owns_some() -> None:
    numbers = [one.number for one in company.companies()] + [one.number for one in company.people()]
    assert len(set(numbers)) == len(numbers) == 60
    owners = {one.owner for one in company.companies()} | {one.owner for one in company.people()}
    assert owners == set(company.SELLERS)


def test_orders_are_of_known_buyers_and_products_and_fit_one_batch() -> None:
    orders = company.orders()
    buyers = {one.number for one in company.companies()} | {one.number for one in company.people()}
    products = {product for product, *_ in company.PRODUCTS}
    assert 60 <= len(orders) <= 500
    assert {order.buyer for order in orders} <= buyers
    assert {product for order in orders for product, _ in order.lines} <= products
    assert min(order.days_ago for order in orders) == 1


def test_each_tier_and_each_rfm_class_has_somebody() -> None:
    today = date(2026, 11, 22)
    purchases = [
        Purchase(number, order.buyer, today - timedelta(days=order.days_ago), 1, Decimal(order.amount))
        for number, order in enumerate(company.orders())
    ]
    figures = truth.figures(truth.facts(purchases, today))
    assert set(figures.tiers) == set(truth.KNOWN_TIERS)
    assert set(figures.rfm) == set(truth.RFM_CLASSES)


def test_switchboards_are_numbers_one_can_call() -> None:
    for one in company.companies():
        assert phonenumbers.is_valid_number(phonenumbers.parse(one.switchboard, "CN"))


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L", "9144030071526726XG"])
def test_credit_codes_end_with_the_check_character_of_the_standard(code: str) -> None:
    assert company.credit_code(code[:17]) == code


def test_nobody_of_the_sample_company_is_in_the_feed() -> None:
    phones = {one.who.phone for one in company.people()}
    assert not phones & {person.phone for person in feed.people(2357)}
