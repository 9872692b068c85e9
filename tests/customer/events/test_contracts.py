"""What the customer service tells and hears, held to the examples that the other side's tests read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.gateway.v1.events_pb2 import TeamsRecorded, UsersRecorded
from crm.sales.v1.events_pb2 import ContractsChanged, OpportunityWon, OrdersRecorded
from crm.ticketing.v1.events_pb2 import TicketsChanged
from customer.domain.customer import Company, Person, Profile
from customer.events.subscriptions import CustomerEvents
from customer.store.deal_queries import recent_deals
from customer.usecases.classify_customers import apply_orders
from customer.usecases.create_customers import create_customer, create_customers
from customer.usecases.ports import OrderRow
from customer.wiring import CustomerApp
from kernel.bus.envelope import parse
from kernel.pure.errors import Invalid
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.contracts.examples import example, promised, same_shape
from tests.customer.conftest import seller

ITSELF = Principal.service("customer")
HANDLERS: dict[type[Message], Any] = {
    OrdersRecorded: CustomerEvents.apply_orders,
    OpportunityWon: CustomerEvents.follow_deals,
    ContractsChanged: CustomerEvents.follow_contracts,
    TicketsChanged: CustomerEvents.follow_tickets,
    UsersRecorded: CustomerEvents.follow_users,
    TeamsRecorded: CustomerEvents.follow_teams,
}


def hear(app: CustomerApp, event_class: type[Message], **changed: Any) -> None:
    """The promised event reaches its handler, with some fields of its first item changed."""
    body = example("customer", event_class.DESCRIPTOR.full_name)
    data = body["data"]
    [item, *_] = next(iter(data.values())) if len(data) == 1 else [data]
    item |= changed
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(ITSELF) as work:
        HANDLERS[event_class](CustomerEvents(), work, event, envelope)


def told(app: CustomerApp, event: str) -> dict[str, Any]:
    """The newest envelope of an event in the outbox."""
    rows = app.reader.rows("select body from outbox where type = %s order by seq desc limit 1", (event,))
    envelope: dict[str, Any] = json.loads(rows[0].body)
    return envelope


def told_as_promised(app: CustomerApp, event: str) -> bool:
    """Whether what was told has the shape of every example; same_shape fails naming the difference."""
    promises = promised(event)
    for promise in promises:
        same_shape(told(app, event), promise)
    return bool(promises)


def test_customers_recorded_is_told_as_promised(app: CustomerApp) -> None:
    place = {"source_channel": "线下展会A", "industry": "餐饮", "province": "上海市", "city": "上海市"}
    with app.work(seller()) as work:
        create_customers(work, [Profile(Person("王小明"), **place), Profile(Company("东海科技"), **place)])
    assert told_as_promised(app, "crm.customer.v1.CustomersRecorded")


def test_customers_classified_is_told_as_promised(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        customer = create_customer(work, Profile(Person("王小明")))
    for amount in (30_000, 70_000):
        order = OrderRow(new_id(), 1, customer.id, date(2026, 6, 30), "paid", Decimal(amount))
        with app.work(ITSELF) as work:
            apply_orders(work, [order])
    assert any(
        "previousClass" in item
        for item in told(app, "crm.customer.v1.CustomersClassified")["data"]["customers"]
    )
    assert told_as_promised(app, "crm.customer.v1.CustomersClassified")


def test_orders_that_sales_tells_are_kept_and_classify_their_customer(app: CustomerApp) -> None:
    with app.work(seller()) as work:
        customer = create_customer(work, Profile(Person("王小明")))
    hear(app, OrdersRecorded, customerId=str(customer.id), baseAmount="120000.00")
    rows = app.reader.rows(
        "select version, customer_id, ordered_on, status, base_amount from orders order by order_id"
    )
    assert rows == [
        (1, customer.id, date(2026, 3, 1), "placed", Decimal("120000.00")),
        (
            4,
            UUID("01980a5e-7c00-7302-8000-000000000302"),
            date(2025, 12, 31),
            "delivered",
            Decimal("64250.50"),
        ),
        (2, UUID("01980a5e-7c00-7301-8000-000000000301"), date(2026, 2, 14), "cancelled", Decimal("0.00")),
    ]
    classes = app.reader.rows(
        "select class as class_ from classes where customer_id = %s and scheme = 'spend_tier'", (customer.id,)
    )
    assert classes == [("core",)]


def test_a_won_opportunity_and_its_contract_are_known(app: CustomerApp) -> None:
    hear(app, ContractsChanged)
    hear(app, OpportunityWon)
    [deal] = recent_deals(app.reader, UUID("01980a5e-7c00-7301-8000-000000000301"))
    assert deal == (
        UUID("01980a5e-7c00-7601-8000-000000000601"),
        UUID("01980a5e-7c00-7701-8000-000000000701"),
        "expiring",
        Decimal("118000.00"),
        "CNY",
        datetime(2026, 3, 2, 1, 30, 0, 125_000, UTC),
    )


def test_an_older_state_of_a_deal_or_contract_changes_nothing(app: CustomerApp) -> None:
    for version, amount, status in ((5, "118000.00", "signed"), (4, "1.00", "draft"), (5, "2.00", "draft")):
        hear(app, OpportunityWon, version=version, amount=amount)
        hear(app, ContractsChanged, version=version, status=status)
    [deal] = recent_deals(app.reader, UUID("01980a5e-7c00-7301-8000-000000000301"))
    assert (deal.amount, deal.contract_status) == (Decimal("118000.00"), "signed")


def test_tickets_are_known_also_while_nobody_knows_whose_they_are(app: CustomerApp) -> None:
    hear(app, TicketsChanged)
    rows = app.reader.rows("select * from tickets order by ticket_id")
    first, second = (UUID(f"01980a5e-7c00-750{n}-8000-00000000050{n}") for n in (1, 2))
    customer = UUID("01980a5e-7c00-7301-8000-000000000301")
    opened, closed = (datetime(2026, 3, day, 1, 30, tzinfo=UTC) for day in (1, 2))
    answered = opened + timedelta(minutes=40)
    assert rows == [
        (first, 4, customer, "T00000501", "complaint", "closed", "urgent", "email", opened, answered, closed),
        (second, 1, None, "T00000502", "consultation", "open", "normal", "form", closed, None, None),
    ]


def test_an_older_state_of_a_ticket_changes_nothing_and_a_newer_one_may_move_it(app: CustomerApp) -> None:
    hear(app, TicketsChanged, version=5, status="pending")
    hear(app, TicketsChanged, version=4, status="open")
    query = "select status, customer_id is null from tickets where number = 'T00000501'"
    assert app.reader.rows(query) == [("pending", False)]
    hear(app, TicketsChanged, version=6, status="open", customerId="")
    assert app.reader.rows(query) == [("open", True)]


def test_users_and_teams_are_known(app: CustomerApp) -> None:
    with app.engine.begin() as connection:
        connection.exec_driver_sql("truncate staff, teams")
    hear(app, UsersRecorded)
    hear(app, TeamsRecorded)
    staff = app.reader.rows("select version, team_id, disabled from staff order by user_id")
    team, root = UUID("01980a5e-7c00-7202-8000-000000000202"), UUID("01980a5e-7c00-7201-8000-000000000201")
    assert staff == [(3, team, False), (1, None, True)]
    teams = app.reader.rows("select team_id, version, path from teams order by team_id")
    assert teams == [(root, 1, [root]), (team, 2, [root, team])]


@pytest.mark.parametrize(
    ("event_class", "field", "value"),
    [
        (OrdersRecorded, "orderId", "7"),
        (OrdersRecorded, "orderedOn", "yesterday"),
        (OrdersRecorded, "baseAmount", "much"),
        (OpportunityWon, "contractId", "7"),
        (OpportunityWon, "amount", "much"),
        (OpportunityWon, "wonAt", "yesterday"),
        (ContractsChanged, "contractId", "7"),
        (TicketsChanged, "ticketId", "7"),
        (TicketsChanged, "openedAt", "yesterday"),
        (TicketsChanged, "answeredAt", "yesterday"),
        (TicketsChanged, "closedAt", "yesterday"),
        (UsersRecorded, "userId", "7"),
        (TeamsRecorded, "teamId", "7"),
    ],
)
def test_a_value_that_is_none_is_for_the_dead_letters(
    app: CustomerApp, event_class: type[Message], field: str, value: str
) -> None:
    with pytest.raises(Invalid) as refused:
        hear(app, event_class, **{field: value})
    assert not refused.value.transient
