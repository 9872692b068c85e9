"""Who sees which customers, and how much of them: a seller, a sales manager, an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import grpc

from crm.customer.v1.customer_pb2 import Customer
from crm.customer.v1.customer_service_pb2 import (
    CountClassesRequest,
    CountCustomersRequest,
    GetCustomerRequest,
    GetCustomerViewRequest,
    ListCustomersRequest,
    RevealCustomerRequest,
)
from crm_cli.client import Refused, Session
from crm_cli.tour import finding
from crm_cli.tour.truth import TIER_SCHEME

_PAGE = 200
_HIDDEN = "****"
REASON = "巡检：核对回访电话"
_MASKED = "person.phones"


@dataclass(frozen=True)
class Sight:
    """What one account sees: all customers of its list, by id."""

    session: Session
    customers: Mapping[str, Customer]

    @property
    def ids(self) -> set[str]:
        return set(self.customers)


def look(session: Session) -> Sight:
    """Lists everything the account may see."""
    request = ListCustomersRequest(page_size=_PAGE)
    found: dict[str, Customer] = {}
    while True:
        page = session.call(session.customers.ListCustomers, request)
        found |= {customer.id: customer for customer in page.customers}
        if not page.next_page_token:
            return Sight(session, found)
        request.page_token = page.next_page_token


def agreement(sight: Sight, phones: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Whether lists, counts, searches and single reads tell of the same customers.

    `phones` are a few customers, some of whom the account may not see, with a phone that nobody else
    has. Yields what was checked and whether it holds.
    """
    session = sight.session
    counted = session.call(session.customers.CountCustomers, CountCustomersRequest()).customers
    yield "the count is that of the list", counted == len(sight.ids)
    classes = session.call(session.customers.CountClasses, CountClassesRequest(scheme=TIER_SCHEME))
    in_classes = classes.unclassified + sum(one.customers for one in classes.counts)
    # Those who were erased are listed no more and count on.
    yield "classes count as many", in_classes >= len(sight.ids)
    found = {one: finding.search(session, phone) for one, phone in phones.items()}
    yield (
        "a phone finds who is in the list and nobody else",
        all(found[one] == ([one] if one in sight.ids else []) for one in phones),
    )
    read = {one: _code(partial(_read, session, one)) for one in phones}
    right = {True: grpc.StatusCode.OK, False: grpc.StatusCode.NOT_FOUND}
    yield "who is not in the list is not there", all(read[one] is right[one in sight.ids] for one in phones)


def in_clear(sight: Sight, phones: Mapping[str, set[str]]) -> bool:
    """Whether the account is shown just these phones of these customers, by list and by single read."""
    return all(
        set(shown.person.phones) == phones[one] and not shown.masked_fields
        for one in phones
        for shown in (sight.customers[one], _get(sight.session, one))
    )


def hidden(sight: Sight, phones: Mapping[str, set[str]]) -> bool:
    """Whether it is shown none of them whole, but the names."""
    return all(
        shown.person.full_name
        and _MASKED in shown.masked_fields
        and len(shown.person.phones) == len(phones[one])
        and all(_HIDDEN in phone for phone in shown.person.phones)
        for one in phones
        for shown in (sight.customers[one], _get(sight.session, one))
    )


def nobody_in_clear(sight: Sight) -> bool:
    """Whether no phone at all of the people in the list is shown whole."""
    return all(_HIDDEN in phone for one in sight.customers.values() for phone in one.person.phones)


def revealing(
    manager: Session, seller: Session, inside: str, outside: str, phones: set[str]
) -> Iterator[tuple[str, bool]]:
    """Whether a manager is shown the phones of `inside` for a reason, and of `outside` nothing."""
    shown = manager.call(manager.customers.RevealCustomer, RevealCustomerRequest(id=inside, reason=REASON))
    yield "a reason shows the phones", set(shown.person.phones) == phones
    for name, session, request, code in (
        ("no reason shows nothing", manager, (inside, ""), grpc.StatusCode.INVALID_ARGUMENT),
        ("nobody of other teams is shown", manager, (outside, REASON), grpc.StatusCode.NOT_FOUND),
        ("a seller may not reveal", seller, (outside, REASON), grpc.StatusCode.PERMISSION_DENIED),
    ):
        asked = RevealCustomerRequest(id=request[0], reason=request[1])
        yield name, _code(partial(session.call, session.customers.RevealCustomer, asked)) is code


def _get(session: Session, customer_id: str) -> Customer:
    customer: Customer = session.call(session.customers.GetCustomer, GetCustomerRequest(id=customer_id))
    return customer


def _read(session: Session, customer_id: str) -> None:
    _get(session, customer_id)
    session.call(session.customers.GetCustomerView, GetCustomerViewRequest(id=customer_id))


def _code(call: Callable[[], object]) -> grpc.StatusCode:
    try:
        call()
    except Refused as refused:
        code: grpc.StatusCode = refused.code
        return code
    return grpc.StatusCode.OK
