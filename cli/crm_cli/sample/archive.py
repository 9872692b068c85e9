"""Customers, products and orders of the sample company, as messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from crm.customer.v1.customer_pb2 import Company, Customer, ExternalId, Person
from crm.customer.v1.customer_service_pb2 import BatchCreateCustomersRequest
from crm.sales.v1.order_pb2 import ErpId, Order, OrderLine, OrderStatus, Product
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm.sales.v1.product_service_pb2 import BatchUpsertProductsRequest
from crm.type.v1.money_pb2 import Money
from crm_cli.client import Session
from crm_cli.sample import company
from crm_cli.sample.company import SampleCompany, SampleOrder, SamplePerson

SOURCE = "erp"
# What is loaded is loaded once: a second load changes nothing.
_VERSION = 1


class NotLoaded(Exception):
    """An item of the sample company was refused."""


def make_customers(admin: Session, staff: Mapping[str, str]) -> dict[str, str]:
    """The ids of the customers by their number at the ERP. `staff` are ids by login."""
    numbers = [one.number for one in company.companies()] + [one.number for one in company.people()]
    customers = [_company(one, staff) for one in company.companies()]
    customers += [_person(one, staff) for one in company.people()]
    request = BatchCreateCustomersRequest(customers=customers, request_id=str(uuid4()))
    outcomes = admin.call(admin.customers.BatchCreateCustomers, request).outcomes
    _check(outcomes)
    return {
        number: outcome.created_id or outcome.existing_id
        for number, outcome in zip(numbers, outcomes, strict=True)
    }


def make_products(erp: Session) -> None:
    products = [
        Product(
            external_id=ErpId(source=SOURCE, value=value),
            source_version=_VERSION,
            name=name,
            category=category,
            list_price=_yuan(price),
        )
        for value, name, category, price in company.PRODUCTS
    ]
    request = BatchUpsertProductsRequest(products=products, request_id=str(uuid4()))
    _check(erp.call(erp.products.BatchUpsertProducts, request).outcomes)


def make_orders(erp: Session, customers: Mapping[str, str], today: date) -> None:
    orders = [_order(one, customers[one.buyer], today) for one in company.orders()]
    request = BatchUpsertOrdersRequest(orders=orders, request_id=str(uuid4()))
    _check(erp.call(erp.orders.BatchUpsertOrders, request).outcomes)


def _company(one: SampleCompany, staff: Mapping[str, str]) -> Customer:
    return Customer(
        company=Company(
            name=one.name,
            credit_code=one.credit_code,
            phones=[one.switchboard],
            size=one.size,  # type: ignore[arg-type]
        ),
        external_ids=[ExternalId(source=SOURCE, value=one.number)],
        owner_id=staff[one.owner],
        source_channel=one.channel,
        industry=one.industry,
        province=one.place.province,
        city=one.place.city,
    )


def _person(one: SamplePerson, staff: Mapping[str, str]) -> Customer:
    return Customer(
        person=Person(full_name=one.who.full_name, phones=[one.who.phone], emails=[one.who.email]),
        external_ids=[ExternalId(source=SOURCE, value=one.number)],
        owner_id=staff[one.owner],
        source_channel=one.channel,
        province=one.place.province,
        city=one.place.city,
    )


def _order(one: SampleOrder, customer_id: str, today: date) -> Order:
    prices = {value: price for value, _, _, price in company.PRODUCTS}
    amounts = [prices[product] * quantity for product, quantity in one.lines]
    return Order(
        external_id=ErpId(source=SOURCE, value=one.number),
        source_version=_VERSION,
        customer_id=customer_id,
        ordered_on=(today - timedelta(days=one.days_ago)).isoformat(),
        status=OrderStatus.ORDER_STATUS_PAID if one.days_ago < 7 else OrderStatus.ORDER_STATUS_DELIVERED,
        lines=[
            OrderLine(product=product, quantity=str(quantity), amount=_yuan(amount))
            for (product, quantity), amount in zip(one.lines, amounts, strict=True)
        ],
        total=_yuan(one.amount),
    )


def _yuan(amount: int) -> Money:
    return Money(amount=f"{amount}.00", currency_code="CNY")


def _check(outcomes: Any) -> None:
    """Raises NotLoaded with what the service says of the first item that was refused."""
    for number, outcome in enumerate(outcomes):
        if outcome.HasField("error"):
            raise NotLoaded(f"item {number}: {outcome.error.message}")
