"""What the callers ask: requests as bytes, by method."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import (
    CreateCustomerRequest,
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
    SearchCustomersRequest,
)
from tests.bench.client import Work
from tests.bench.world import World
from tests.support.people import Record, population

_SERVICE = "/crm.customer.v1.CustomerService/"
# Seeds of people apart from those who were imported.
_NEWCOMERS = 3000


def works(world: World, newcomers: int) -> dict[str, Work]:
    """The calls that are measured, by name; `newcomers` are enough for all that is created."""
    reach = world.reach
    provinces = sorted({person.province for person in reach[0] if person.province})
    lists = [ListCustomersRequest(page_size=50, filter=f'province == "{province}"') for province in provinces]
    classes = [
        ListCustomersRequest(page_size=50, filter=f'class.spend_tier == "{tier}"')
        for tier in ("core", "important", "basic")
    ]
    asked = {
        "read_one": ("GetCustomer", [[GetCustomerRequest(id=p.id) for p in own] for own in reach]),
        "find_phone": (
            "SearchCustomers",
            [[SearchCustomersRequest(text=p.phone) for p in own if p.phone] for own in reach],
        ),
        "list_50": ("ListCustomers", [lists]),
        "list_class": ("ListCustomers", [classes]),
        "create": ("CreateCustomer", [list(_creations(newcomers))]),
        "view": ("GetCustomerView", [[GetCustomerViewRequest(id=p.id) for p in own] for own in reach]),
    }
    return {
        name: Work(
            address=world.address,
            method=_SERVICE + method,
            requests=[[message.SerializeToString() for message in of_caller] for of_caller in requests],
            ca=world.ca,
            once=name == "create",
        )
        for name, (method, requests) in asked.items()
    }


def _creations(count: int) -> Iterator[CreateCustomerRequest]:
    for record in population(_NEWCOMERS, count, 0).records:
        yield CreateCustomerRequest(customer=_customer(record), request_id=str(uuid4()))


def _customer(record: Record) -> Customer:
    return Customer(
        person=Person(
            full_name=record.full_name,
            phones=record.phones,
            emails=record.emails,
            birth_date=record.birth_date,
            identity_number=record.id_number,
            street_address=record.street_address,
        ),
        province=record.province,
        city=record.city,
        source_channel="bench",
    )
