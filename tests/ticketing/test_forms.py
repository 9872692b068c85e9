"""Customers tell their concerns by forms, which are read as mails from their address would be."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm.ticketing.v1 import form_service_pb2 as rpc
from kernel.pure.errors import Invalid
from kernel.pure.grants import ANONYMOUS, Principal
from kernel.pure.ids import new_id
from kernel.rpc.call import Call
from kernel.sql.counters import LocalCounters
from tests.ticketing.test_mail import Customers, take
from tests.ticketing.world import Desk, caller, person
from ticketing.api.forms import TicketFormServicer
from ticketing.domain.errors import TicketFormNotFound, TooManyForms
from ticketing.wiring import TicketingApp

XIAOMING = "xiaoming@example.com"


def ask(app: TicketingApp, method: str, request: Any, principal: Principal = ANONYMOUS) -> Any:
    with app.work(principal) as work:
        call = Call(principal, "zh", "192.0.2.1", lambda *_: None, work=work)
        return getattr(TicketFormServicer(app), method)(request, call)


@pytest.fixture
def form(app: TicketingApp) -> rpc.TicketForm:
    app.counters = LocalCounters()
    made: rpc.TicketForm = ask(
        app, "create_ticket_form", rpc.CreateTicketFormRequest(title="联系我们"), caller()
    )
    return made


def submit(app: TicketingApp, form: rpc.TicketForm, **fields: str) -> UUID:
    told = {
        "form_id": form.id,
        "form_key": form.key,
        "requester_name": "王小明",
        "requester_email": XIAOMING,
        "subject": "发票",
        "content": "抬头怎么改？\n谢谢",
        **fields,
    }
    answer = ask(app, "submit_ticket_form", rpc.SubmitTicketFormRequest(**told))
    return UUID(answer.submission_id)


def test_a_form_is_kept_sealed_and_becomes_the_ticket_of_whoever_has_the_address(
    app: TicketingApp, form: rpc.TicketForm
) -> None:
    customer = person(app)
    submit(app, form)
    [kept] = app.reader.rows("select sealed, channel from mails")
    assert (kept.channel, b"xiaoming" in bytes(kept.sealed)) == ("form", False)
    take(app, Customers({XIAOMING: [customer]}))
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    assert (ticket.channel, ticket.subject, ticket.customer_id) == ("form", "发票", str(customer))
    assert (ticket.requester_name, ticket.requester_email) == ("王小明", XIAOMING)
    assert desk.messages(ticket.id) == ["抬头怎么改？\n谢谢"]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_said_again_by_a_form_joins_the_open_ticket(
    app: TicketingApp, form: rpc.TicketForm, known: bool
) -> None:
    customers = Customers({XIAOMING: [person(app)]} if known else {})
    submit(app, form)
    take(app, customers)
    submit(app, form, content="发票还没有改好")
    take(app, customers)
    desk = Desk(app)
    [ticket] = desk.read("list_tickets").tickets
    assert len(desk.messages(ticket.id)) == 2


def test_a_form_that_is_sent_again_is_one_concern(app: TicketingApp, form: rpc.TicketForm) -> None:
    again = str(new_id())
    assert {submit(app, form, submission_id=again) for _ in range(3)} == {UUID(again)}
    assert len(app.reader.rows("select 1 from mails")) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"requester_email": ""}, "requester_email"),
        ({"requester_email": "nobody"}, "requester_email"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"content": "a\x00b"}, "content"),
        ({"requester_name": "x" * 101}, "requester_name"),
        ({"submission_id": "x"}, "submission_id"),
    ],
)
def test_a_form_that_nobody_could_answer_is_refused(
    app: TicketingApp, form: rpc.TicketForm, fields: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        submit(app, form, **fields)
    assert field in [violation.field for violation in refused.value.violations]
    assert app.reader.rows("select 1 from mails") == []


def test_no_header_comes_in_by_a_form(app: TicketingApp, form: rpc.TicketForm) -> None:
    submit(app, form, subject="发票\r\nBcc: x@example.com", requester_name="王\r\nTo: y@example.com")
    take(app)
    [ticket] = Desk(app).read("list_tickets").tickets
    assert (ticket.subject, ticket.requester_email) == ("发票 Bcc: x@example.com", XIAOMING)


def test_whoever_does_not_have_the_key_submits_nothing(app: TicketingApp, form: rpc.TicketForm) -> None:
    for wrong in ({"form_key": "x"}, {"form_key": ""}, {"form_id": str(new_id())}):
        with pytest.raises(TicketFormNotFound):
            submit(app, form, **wrong)
    [listed] = ask(app, "list_ticket_forms", rpc.ListTicketFormsRequest(), caller()).forms
    assert (listed.id, listed.key, listed.title) == (form.id, form.key, "联系我们")


def test_forms_from_one_address_are_counted(app: TicketingApp, form: rpc.TicketForm) -> None:
    for _ in range(app.settings.forms_per_address):
        submit(app, form)
    with pytest.raises(TooManyForms):
        submit(app, form)


def test_a_form_needs_a_title(app: TicketingApp) -> None:
    with pytest.raises(Invalid):
        ask(app, "create_ticket_form", rpc.CreateTicketFormRequest(title=" "), caller())
