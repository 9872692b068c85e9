"""Callers of TimelineService, and the customers it speaks of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm.customer.v1 import timeline_service_pb2 as rpc
from customer.api.timeline import TimelineServicer
from customer.domain.customer import Company, Person, Profile
from customer.domain.interaction import InteractionDraft
from customer.domain.told import TicketRow
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer
from customer.usecases.merge_customers import merge_customers
from customer.usecases.ports import OrderRow
from customer.usecases.record_interaction import record_interaction
from customer.wiring import CustomerApp
from kernel.pure.grants import Principal, PrincipalKind, Scope
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from tests.customer.conftest import NOON

TODAY = date(2026, 6, 30)
ALL = ("customers.read", "customers.create", "customers.update", "customers.merge", "interactions.create")


def caller(
    scope: Scope = Scope.OWN, but: Collection[str] = (), personal: Scope | None = Scope.OWN
) -> Principal:
    """A user who may do all but some things as far as `scope` reaches, and read personal fields as far
    as `personal` does."""
    grants = {f"customer.{name}": scope for name in ALL if name not in but}
    if personal is not None:
        grants["customer.personal.read"] = personal
    return Principal(PrincipalKind.USER, str(new_id()), grants)


class Client:
    """Calls the servicer as one principal; notes which customers it was shown."""

    def __init__(self, app: CustomerApp, principal: Principal) -> None:
        self._app = app
        self._servicer = TimelineServicer(app)
        self._principal = principal
        self.viewed: list[object] = []

    def read(self, method: str, request: Any) -> Any:
        call = Call(self._principal, "zh", "", lambda _, ids: self.viewed.extend(ids))
        return getattr(self._servicer, method)(request, call)

    def command(self, method: str, request: Any) -> Any:
        with self._app.work(self._principal) as work:
            call = Call(self._principal, "zh", "", lambda *_: None, work=work)
            return getattr(self._servicer, method)(request, call)

    def timeline(self, customer_id: UUID, size: int = 0, token: str = "") -> rpc.ListTimelineResponse:
        request = rpc.ListTimelineRequest(customer_id=str(customer_id), page_size=size, page_token=token)
        answer: rpc.ListTimelineResponse = self.read("list_timeline", request)
        return answer

    def entries(self, customer_id: UUID, size: int = 0) -> list[rpc.TimelineEntry]:
        """All entries, page by page."""
        found: list[rpc.TimelineEntry] = []
        token = ""
        while True:
            page = self.timeline(customer_id, size, token)
            assert not size or len(page.entries) <= size
            found += page.entries
            token = page.next_page_token
            if not token:
                return found

    def relations(self, customer_id: UUID) -> list[rpc.Relation]:
        request = rpc.ListRelationsRequest(customer_id=str(customer_id))
        return list(self.read("list_relations", request).relations)


def person(app: CustomerApp, owner: Principal, name: str = "王小明") -> UUID:
    with app.work(owner) as work:
        return create_customer(work, Profile(Person(name))).id


def company(app: CustomerApp, owner: Principal, name: str = "东海科技") -> UUID:
    with app.work(owner) as work:
        return create_customer(work, Profile(Company(name))).id


def note(
    app: CustomerApp, who: Principal, customer_id: UUID, content: str = "", at: datetime | None = None
) -> UUID:
    draft = InteractionDraft("consultation", "phone", content, at)
    with app.work(who) as work:
        return record_interaction(work, customer_id, draft).id


def buy(app: CustomerApp, customer_id: UUID, amount: int, days_ago: int = 0, status: str = "paid") -> UUID:
    day = TODAY - timedelta(days_ago)
    order = OrderRow(new_id(), 1, customer_id, day, status, Decimal(amount))
    with app.work(Principal.service("customer")) as work:
        apply_orders(work, [order])
    return order.order_id


def ask(app: CustomerApp, customer_id: UUID | None, at: datetime = NOON, **changed: Any) -> UUID:
    """A ticket of a customer, opened at an instant."""
    opened = TicketRow(
        ticket_id=new_id(),
        version=1,
        customer_id=customer_id,
        number="T00000001",
        kind="consultation",
        status="open",
        priority="normal",
        channel="phone",
        opened_at=at,
        answered_at=None,
        closed_at=None,
    )
    row = replace(opened, **changed)
    with app.work(Principal.service("customer")) as work:
        work.tickets.apply([row])
    return row.ticket_id


def merge(app: CustomerApp, who: Principal, survivor: UUID, *absorbed: UUID) -> None:
    with app.work(who) as work:
        merge_customers(work, survivor, absorbed)


def delete(app: CustomerApp, customer_id: UUID) -> None:
    with app.engine.begin() as connection:
        connection.exec_driver_sql("update customers set deleted_at = %s where id = %s", (NOON, customer_id))
