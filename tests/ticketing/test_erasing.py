"""What ticketing holds of a person goes when it is ordered, and rests when it is restricted."""

from __future__ import annotations

import json
import smtplib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from crm.privacy.v1.events_pb2 import ErasureOrdered, SubjectsRestricted
from crm.ticketing.v1 import subject_service_pb2 as subject_rpc
from kernel.bus.envelope import parse
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from kernel.sql.subjects import SubjectRestricted
from tests.contracts.examples import example, promised, same_shape
from tests.ticketing.test_mail import Customers, answer, door, letters, mail, mailbox, take
from tests.ticketing.world import SERVICE, Desk, caller, fire, person, told
from ticketing.api.subjects import SubjectServicer
from ticketing.domain.errors import TicketErased, UnknownCustomer
from ticketing.events.subscriptions import TicketingEvents
from ticketing.wiring import TicketingApp

__all__ = ["door", "mailbox"]  # fixtures

XIAOMING = "xiaoming@example.com"
RECEIPT = "crm.ticketing.v1.SubjectErased"
HANDLERS: dict[type[Message], Any] = {
    ErasureOrdered: TicketingEvents.erase_subjects,
    SubjectsRestricted: TicketingEvents.follow_restrictions,
}


def hear(app: TicketingApp, event_class: type[Message], data: dict[str, Any]) -> None:
    """The promised event about other persons reaches its handler."""
    body = example("ticketing", event_class.DESCRIPTOR.full_name)
    body["data"] |= data
    envelope, event = parse(json.dumps(body), event_class)
    with app.work(SERVICE) as work:
        HANDLERS[event_class](TicketingEvents(), work, event, envelope)


def erase(app: TicketingApp, customer_id: UUID) -> dict[str, int]:
    """Rows by table, as the receipt of the erasure that was ordered counts them."""
    hear(app, ErasureOrdered, {"subjectIds": [str(customer_id)]})
    sql = "select body from outbox where type = %(type)s order by seq desc limit 1"
    row = app.reader.row(sql, {"type": RECEIPT})
    assert row is not None
    for promise in promised(RECEIPT):
        same_shape(json.loads(row.body), promise)
    return {one["table"]: one["rows"] for one in json.loads(row.body)["data"]["counts"] if one.get("rows")}


def restrict(app: TicketingApp, customer_id: UUID, version: int = 1, restricted: bool = True) -> None:
    item = {"subjectId": str(customer_id), "requestId": str(new_id()), "version": version}
    hear(app, SubjectsRestricted, {"subjects": [{**item, "restricted": restricted}]})


def note(app: TicketingApp, *ids: UUID, emails: tuple[str, ...] = (XIAOMING,)) -> None:
    """The privacy service tells where a person wrote from."""
    request = subject_rpc.NoteAddressesRequest(subject_ids=map(str, ids), emails=emails)
    with app.work(SERVICE) as work:
        SubjectServicer().note_addresses(request, Call(SERVICE, "en", "", lambda *_: None, work=work))


def left(app: TicketingApp) -> dict[str, int]:
    """Rows that still hold something of somebody, by table."""
    counts = {
        table: len(app.reader.rows(f"select 1 from {table} where sealed is not null"))
        for table in ("tickets", "messages", "mails")
    }
    for table, column in (("tickets", "requester"), ("subject_addresses", "requester"), ("timers", "key")):
        counts[f"{table}.{column}"] = len(
            app.reader.rows(f"select 1 from {table} where {column} is not null")
        )
    return {name: count for name, count in counts.items() if count}


def has_key(app: TicketingApp, subject_id: UUID) -> bool:
    return bool(app.keyring.keys([subject_id], "operational") or app.keyring.keys([subject_id], "file"))


def test_nothing_is_left_of_somebody_who_wrote_a_mail(app: TicketingApp, door: smtplib.SMTP) -> None:
    customer = person(app, spend_tier="core")
    door.send_message(mail())
    take(app, Customers({XIAOMING: [customer]}))
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    desk.tell(ticket.id, "请发照片")
    [kept] = app.reader.rows("select id from mails")
    assert all(has_key(app, one) for one in (customer, kept.id))
    assert erase(app, customer) == {
        "tickets": 1,
        "messages": 2,
        "mails": 1,
        "customers": 1,
        "classes": 1,
        "keys": 1,
    }
    assert left(app) == {}
    assert not any(has_key(app, one) for one in (customer, kept.id))
    shown = desk.get(ticket.id)
    assert (shown.status, shown.subject, shown.requester_email) == (4, "", "")
    assert desk.messages(ticket.id) == ["", ""]
    assert told(app, "TicketsChanged")[-1]["tickets"][0]["status"] == "closed"
    assert erase(app, customer) == {}


@pytest.mark.parametrize("known", [True, False])
def test_mails_of_nobody_known_from_their_address_go_too(
    app: TicketingApp, door: smtplib.SMTP, known: bool
) -> None:
    """Also when somebody said later whose it was: the ticket's own key is gone with the customer's."""
    customer = person(app)
    door.send_message(mail())
    take(app)
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    if known:
        desk.command("identify_ticket", id=ticket.id, customer_id=str(customer))
    other = desk.open("另一个人", requester_email="other@example.com")
    note(app, customer)
    assert has_key(app, UUID(ticket.id))
    counts = erase(app, customer)
    assert counts["tickets"] == counts["mails"] == counts["ticket_keys"] == 1
    assert not has_key(app, UUID(ticket.id))
    assert desk.get(other.id).subject == "另一个人"
    assert erase(app, customer) == {}
    assert app.reader.rows("select 1 from subject_addresses") == []


def test_a_mail_that_came_between_two_orders_is_found_by_the_second(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    customer = person(app)
    door.send_message(mail())
    take(app)
    note(app, customer)
    erase(app, customer)
    door.send_message(mail("还有一件事", message_id="<2@example.com>"))
    take(app)
    assert erase(app, customer)["tickets"] == 1
    assert erase(app, customer) == {}


def test_an_erased_ticket_is_not_worked_on_and_its_timers_are_gone(app: TicketingApp) -> None:
    customer = person(app)
    desk = Desk(app)
    solved = desk.open(customer_id=str(customer))
    urgent = desk.open("停机", customer_id=str(customer), separate=True)
    desk.command("resolve_ticket", id=solved.id, solution="已修")
    assert len(app.reader.rows("select 1 from timers")) == 2
    erase(app, customer)
    assert app.reader.rows("select 1 from timers") == []
    for method, fields in (
        ("reopen_ticket", {}),
        ("classify_ticket", {"topic": "x"}),
        ("reveal_requester", {"reason": "回访客户"}),
    ):
        with pytest.raises(TicketErased):
            desk.command(method, id=urgent.id, **fields)
    with pytest.raises(UnknownCustomer):
        desk.open(customer_id=str(customer))


def test_a_restricted_persons_tickets_rest_until_they_are_released(
    app: TicketingApp, door: smtplib.SMTP
) -> None:
    customer = person(app)
    door.send_message(mail())
    take(app)
    desk = Desk(app)
    [unknown] = desk.read("list_tickets").tickets
    own = desk.open(customer_id=str(customer))
    note(app, customer)
    restrict(app, customer)
    assert list(desk.read("list_tickets").tickets) == []
    for attempt in (
        lambda: desk.get(own.id),
        lambda: desk.get(unknown.id),
        lambda: desk.messages(own.id),
        lambda: desk.clocks(own.id),
        lambda: desk.tell(unknown.id),
        lambda: desk.command("reveal_requester", id=own.id, reason="回访客户"),
        lambda: desk.open("新问题", customer_id=str(customer)),
    ):
        with pytest.raises(SubjectRestricted):
            attempt()
    restrict(app, customer, 2, restricted=False)
    assert len(desk.read("list_tickets").tickets) == 2
    assert desk.get(unknown.id).requester_email == XIAOMING


def test_the_clocks_of_a_ticket_that_rests_run_on(app: TicketingApp, clock: FixedClock) -> None:
    customer = person(app)
    desk = Desk(app)
    desk.open("停机", customer_id=str(customer))
    restrict(app, customer)
    clock.instant += timedelta(hours=2)
    fire(app)
    assert [one["clock"] for one in told(app, "ResponseClockBreached")] == ["urgent_answer"]


def test_no_mail_goes_to_somebody_restricted_or_erased(app: TicketingApp, mailbox: Path) -> None:
    customer, gone = person(app), person(app)
    desk = Desk(app)
    for one in (customer, gone):
        ticket = desk.open(customer_id=str(one), requester_email=f"{one}@example.com")
        desk.tell(ticket.id, "请发照片")
    restrict(app, customer)
    erase(app, gone)
    answer(app, Customers({XIAOMING: [customer, gone]}))
    assert letters(mailbox) == []
    assert {row.delivery for row in app.reader.rows("select delivery from messages")} == {"", "withheld"}


def test_addresses_are_noted_of_somebody(app: TicketingApp) -> None:
    with pytest.raises(Invalid):
        note(app)


@pytest.mark.parametrize("known", [True, False])
def test_whoever_says_the_same_several_times_at_once_has_one_ticket(app: TicketingApp, known: bool) -> None:
    who = {"customer_id": str(person(app))} if known else {"requester_email": XIAOMING}
    start = threading.Barrier(6)
    opened: list[str] = []

    def ask() -> None:
        desk = Desk(app, caller())
        start.wait()
        opened.append(desk.open("发票", "抬头怎么改", **who).id)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(set(opened))) == (6, 1)


def test_a_resolved_ticket_that_is_talked_about_again_is_not_closed(app: TicketingApp) -> None:
    desk = Desk(app)
    ticket = desk.open()
    desk.command("resolve_ticket", id=ticket.id, solution="已修")
    message = {"direction": "MESSAGE_DIRECTION_FROM_CUSTOMER", "content": "还是不行"}
    desk.command("add_message", id=ticket.id, message=message)
    assert desk.get(ticket.id).status == 1
    assert app.reader.rows("select kind from timers where kind = 'close'") == []
