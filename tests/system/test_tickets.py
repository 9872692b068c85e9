"""A customer's concern, through the running system: by mail and by API, to its solution."""

from __future__ import annotations

import json
import smtplib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm.customer.v1.customer_pb2 import Customer, Person
from crm.customer.v1.customer_service_pb2 import CreateCustomerRequest
from crm.customer.v1.timeline_service_pb2 import ListTimelineRequest, TicketFact
from crm.gateway.v1.directory_service_pb2 import CreateTeamRequest, CreateUserRequest
from crm.gateway.v1.identity_pb2 import Team, User
from crm.sales.v1.order_pb2 import ErpId, Order, OrderStatus
from crm.sales.v1.order_service_pb2 import BatchUpsertOrdersRequest
from crm.ticketing.v1.rule_book_service_pb2 import GetRuleBookRequest, PublishRuleBookRequest
from crm.ticketing.v1.ticket_pb2 import Message, MessageDirection, Ticket, TicketKind, TicketStatus
from crm.ticketing.v1.ticket_service_pb2 import (
    AddMessageRequest,
    CloseTicketRequest,
    CreateTicketRequest,
    ExplainClocksRequest,
    ExplainRoutingRequest,
    GetTicketRequest,
    ListMessagesRequest,
    ListTicketsRequest,
    ResolveTicketRequest,
)
from crm.type.v1.money_pb2 import Money
from crm_cli.client import Gateway, Refused, Session
from crm_cli.local.layout import Layout
from crm_cli.local.stack import StackInfo
from crm_cli.tour.people import make_up
from tests.system.behind import Behind, until

INBOX = "support@crm.example"


class Writer:
    """A customer with an e-mail address, and the mailbox that answers come to."""

    def __init__(self, stack: StackInfo, session: Session) -> None:
        layout = Layout.of(stack.name)
        ports = json.loads((layout.folder / "ports.json").read_text("utf-8"))
        self._port, self._mailbox = int(ports["ticketing.smtp"]), layout.mailbox
        self.address = f"{uuid4().hex[:12]}@example.com"
        person = Person(full_name=next(iter(make_up(self.address))).full_name, emails=[self.address])
        request = CreateCustomerRequest(customer=Customer(person=person), request_id=str(uuid4()))
        self.id: str = session.call(session.customers.CreateCustomer, request).id

    def write(self, subject: str, text: str, to: str = INBOX, message_id: str = "") -> str:
        """Sends a mail; answers its Message-ID."""
        mail = EmailMessage(policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = self.address, to, subject
        mail["Message-ID"] = message_id or f"<{uuid4().hex}@example.com>"
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as connection:
            connection.send_message(mail)
        return str(mail["Message-ID"])

    def write_bytes(self, data: bytes) -> None:
        """The same of a mail that no program would write."""
        with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as connection:
            connection.sendmail(self.address, [INBOX], data)

    def letters(self) -> list[Any]:
        """What came to this address, oldest first."""
        read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in self._files()]
        return [letter for letter in read if letter["To"] == self.address]

    def _files(self) -> list[Path]:
        return sorted(self._mailbox.glob("*.eml"))


@pytest.fixture
def writer(stack: StackInfo, admin: Session) -> Writer:
    return Writer(stack, admin)


def tickets_of(session: Session, customer_id: str) -> list[Ticket]:
    request = ListTicketsRequest(customer_id=customer_id)
    return list(session.call(session.tickets.ListTickets, request).tickets)


def open_ticket(
    session: Session,
    customer_id: str,
    subject: str,
    content: str = "",
    topic: str = "",
    separate: bool = False,
) -> Ticket:
    ticket = Ticket(customer_id=customer_id, subject=subject, channel="phone", topic=topic)
    request = CreateTicketRequest(ticket=ticket, content=content, separate=separate, request_id=str(uuid4()))
    # The customer is known here as soon as their event has been heard.
    opened: Ticket = until("the customer is known", lambda: _created(session, request))
    return opened


def _created(session: Session, request: CreateTicketRequest) -> Ticket | None:
    try:
        created: Ticket = session.call(session.tickets.CreateTicket, request)
    except Refused as refused:
        if refused.reason != "TICKET_CUSTOMER_UNKNOWN":
            raise
        return None
    return created


def words_of(session: Session, ticket_id: str) -> list[str]:
    request = ListMessagesRequest(id=ticket_id)
    return [one.content for one in session.call(session.tickets.ListMessages, request).messages]


def tell(session: Session, ticket_id: str, content: str, **more: bool) -> Ticket:
    message = Message(direction=MessageDirection.MESSAGE_DIRECTION_TO_CUSTOMER, content=content)
    request = AddMessageRequest(id=ticket_id, message=message, request_id=str(uuid4()), **more)
    told: Ticket = session.call(session.tickets.AddMessage, request).ticket
    return told


@pytest.mark.feature("T-04")
def test_a_mail_is_a_ticket_also_when_nobody_can_read_it(writer: Writer, admin: Session) -> None:
    writer.write("沙发", "紫色沙发坏了")
    [ticket] = until("the mail is a ticket", lambda: tickets_of(admin, writer.id))
    assert (ticket.channel, ticket.unreadable_reason) == ("email", "")
    assert len(words_of(admin, ticket.id)) == 1
    before = unreadable(admin)
    writer.write_bytes(f"From: {writer.address}\r\nSubject: =?utf-8?B?a?=\r\n\r\n{writer.address}".encode())
    [shown] = until("the malformed mail is a ticket", lambda: unreadable(admin) - before)
    seen = admin.call(admin.tickets.GetTicket, GetTicketRequest(id=shown))
    assert (seen.unreadable_reason, seen.status) == ("MALFORMED", TicketStatus.TICKET_STATUS_OPEN)


def unreadable(session: Session) -> set[str]:
    """Ids of tickets of mails that nobody could read."""
    request = ListTicketsRequest(filter='channel == "email"')
    tickets = session.call(session.tickets.ListTickets, request).tickets
    return {one.id for one in tickets if one.unreadable_reason}


@pytest.mark.feature("T-07")
def test_what_a_customer_says_again_by_another_channel_joins_their_open_ticket(
    writer: Writer, admin: Session
) -> None:
    first = open_ticket(admin, writer.id, "发票", "发票抬头怎么改？")
    writer.write("还是发票", "发票还没有改好")
    until("the mail has joined", lambda: len(words_of(admin, first.id)) == 2)
    other = open_ticket(admin, writer.id, "退款", "我想退款")
    assert other.id != first.id
    assert {one.id for one in tickets_of(admin, writer.id)} == {first.id, other.id}
    decisions = admin.call(admin.tickets.ExplainRouting, ExplainRoutingRequest(id=first.id)).decisions
    [link] = [one for one in decisions if one.what == "link"]
    assert (link.reason, link.facts["topic"]) == ("SAME_CONCERN", "invoice")


@pytest.mark.feature("T-08")
def test_a_problem_is_a_ticket_that_is_talked_about_by_mail_solved_and_closed(
    writer: Writer, admin: Session
) -> None:
    ticket = open_ticket(admin, writer.id, "沙发坏了", "弹簧断了")
    tell(admin, ticket.id, "请发一张照片", awaits_reply=True)
    [asked] = until("the question has arrived", writer.letters)
    assert ticket.number in asked["Subject"]
    writer.write("答复", "照片见附件", to=asked["Reply-To"])
    until("the answer is in the ticket", lambda: len(words_of(admin, ticket.id)) == 3)
    solution = ResolveTicketRequest(id=ticket.id, solution="已更换弹簧", request_id=str(uuid4()))
    admin.call(admin.tickets.ResolveTicket, solution)
    admin.call(admin.tickets.CloseTicket, CloseTicketRequest(id=ticket.id, request_id=str(uuid4())))
    solved = until("the solution has arrived", lambda: writer.letters()[1:])[0]
    assert solved.get_content().strip() == "已更换弹簧"
    closed = admin.call(admin.tickets.GetTicket, GetTicketRequest(id=ticket.id))
    assert closed.status == TicketStatus.TICKET_STATUS_CLOSED
    # And the archive knows: in the timeline of whose concern it was, of nobody else.
    fact = until("the archive knows that it is closed", lambda: closed_in_timeline(admin, writer.id))
    assert (fact.number, fact.kind, fact.channel) == (ticket.number, "consultation", "phone")
    assert ticket.open_time.ToDatetime() <= fact.answer_time.ToDatetime() <= fact.close_time.ToDatetime()
    other = Customer(person=Person(full_name="王小明"))
    stranger = admin.call(admin.customers.CreateCustomer, CreateCustomerRequest(customer=other))
    assert in_timeline(admin, stranger.id) == []


def test_a_form_in_the_portal_is_a_ticket_that_is_answered_by_mail(
    writer: Writer, admin: Session, gateway: Gateway
) -> None:
    """Whoever has the page needs no login; without its key it is no form."""
    made = gateway.json("POST", "/v1/ticket-forms", {"title": "联系我们"}, admin.account.token())
    form = made.body or {}
    path = f"/v1/ticket-forms/{form['id']}:submit"
    filled = {
        "formKey": form["key"], "submissionId": str(uuid4()), "requesterName": "欧阳晓雨",
        "requesterEmail": writer.address, "subject": "发票", "content": "发票抬头怎么改？",
    }  # fmt: skip
    sent = [gateway.json("POST", path, filled) for _ in range(2)]
    assert [(answer.status, (answer.body or {})["submissionId"]) for answer in sent] == [
        (200, filled["submissionId"])
    ] * 2
    guessed = gateway.json("POST", path, {**filled, "formKey": "x", "submissionId": str(uuid4())})
    assert (guessed.status, (guessed.body or {})["details"][0]["reason"]) == (404, "TICKET_FORM_NOT_FOUND")
    nobody = gateway.json("POST", path, {**filled, "requesterEmail": "", "submissionId": str(uuid4())})
    assert nobody.status == 400
    login, password = f"agent.{uuid4().hex[:8]}", uuid4().hex
    user = User(login=login, display_name="客服", role_ids=["agent"])
    admin.call(admin.directory.CreateUser, CreateUserRequest(user=user, password=password))
    agent = gateway.password_account(login, password).session()
    [ticket] = until("the form is a ticket", lambda: tickets_of(agent, writer.id))
    assert (ticket.channel, ticket.subject, ticket.topic) == ("form", "发票", "invoice")
    assert words_of(agent, ticket.id) == ["发票抬头怎么改？"]
    tell(agent, ticket.id, "请在门户中修改")
    [letter] = until("the answer has arrived", writer.letters)
    assert letter.get_content().strip() == "请在门户中修改"
    # What they say again by another form joins it.
    again = {**filled, "submissionId": str(uuid4()), "content": "发票还没有改好"}
    assert gateway.json("POST", path, again).status == 200
    until("the second form has joined", lambda: len(words_of(agent, ticket.id)) == 3)
    # Only who may manage forms makes one.
    assert gateway.json("POST", "/v1/ticket-forms", {"title": "x"}).status == 401


def in_timeline(session: Session, customer_id: str) -> list[TicketFact]:
    request = ListTimelineRequest(customer_id=customer_id)
    entries = session.call(session.timelines.ListTimeline, request).entries
    return [entry.ticket for entry in entries if entry.HasField("ticket")]


def closed_in_timeline(session: Session, customer_id: str) -> TicketFact | None:
    [fact] = in_timeline(session, customer_id) or [TicketFact()]
    return fact if fact.status == "closed" else None


def clocks_of(session: Session, ticket: Ticket) -> dict[str, tuple[str, timedelta]]:
    """State of each clock, and how long after the ticket was opened it is due."""
    explained = session.call(session.tickets.ExplainClocks, ExplainClocksRequest(id=ticket.id)).clocks
    opened = ticket.open_time.ToDatetime(UTC)
    return {one.clock: (one.state, one.due_time.ToDatetime(UTC) - opened) for one in explained}


@pytest.mark.feature("T-17")
def test_a_closed_ticket_asks_by_mail_how_satisfied_the_customer_is(
    writer: Writer, admin: Session, gateway: Gateway
) -> None:
    ticket = open_ticket(admin, writer.id, "沙发坏了", "弹簧断了")
    solution = ResolveTicketRequest(id=ticket.id, solution="已更换弹簧", request_id=str(uuid4()))
    admin.call(admin.tickets.ResolveTicket, solution)
    admin.call(admin.tickets.CloseTicket, CloseTicketRequest(id=ticket.id, request_id=str(uuid4())))
    asked = until("the survey has arrived", lambda: writer.letters()[1:])[0]
    [link] = [word for word in asked.get_content().split() if word.startswith("https://")]
    answer = {"satisfaction": 5, "likelihood": 9, "comment": "很好"}
    path = f"/v1/surveys/{link.rpartition('/')[2]}:answer"
    # Whoever has the link needs no login.
    assert gateway.json("POST", path, answer).status == 200
    again = gateway.json("POST", path, {"satisfaction": 1})
    assert (again.status, (again.body or {})["details"][0]["reason"]) == (400, "SURVEY_ANSWERED")
    survey = admin.call(admin.tickets.GetTicket, GetTicketRequest(id=ticket.id)).survey
    assert (survey.satisfaction, survey.likelihood) == (5, 9)


def publish(session: Session, section: str, rule: dict[str, Any]) -> None:
    """The rule book in force with one more rule before the others of a section."""
    held = session.call(session.ticket_rules.GetRuleBook, GetRuleBookRequest())
    document = json.loads(held.document)
    document[section] = [rule, *document[section]]
    request = PublishRuleBookRequest(
        document=json.dumps(document), base_version=held.version, request_id=str(uuid4())
    )
    published = session.call(session.ticket_rules.PublishRuleBook, request)
    assert published.version == held.version + 1


@pytest.mark.feature("T-10")
def test_a_core_customer_is_sent_to_the_team_that_the_rule_book_names(
    writer: Writer, admin: Session, gateway: Gateway
) -> None:
    team = admin.call(
        admin.directory.CreateTeam, CreateTeamRequest(team=Team(name=f"贵宾 {uuid4().hex[:6]}"))
    )
    login, password = f"manager.{uuid4().hex[:8]}", uuid4().hex
    user = User(login=login, display_name="客服经理", role_ids=["service_manager"], team_id=team.id)
    hired = admin.call(admin.directory.CreateUser, CreateUserRequest(user=user, password=password))
    manager = gateway.password_account(login, password).session()
    rule = {"name": f"vip_{uuid4().hex[:6]}", "when": 'tier == "core"', "then": team.id}
    until("the team is known", lambda: published(manager, rule))
    order = Order(
        external_id=ErpId(source="vip", value=uuid4().hex),
        source_version=1,
        customer_id=writer.id,
        ordered_on=datetime.now(UTC).date().isoformat(),
        status=OrderStatus.ORDER_STATUS_PAID,
        total=Money(amount="120000.00", currency_code="CNY"),
    )
    admin.call(admin.orders.BatchUpsertOrders, BatchUpsertOrdersRequest(orders=[order]))

    def routed() -> Ticket | None:
        ticket = open_ticket(manager, writer.id, f"请教 {uuid4().hex}", separate=True)
        return ticket if ticket.team_id == team.id else None

    # The class is known here as soon as its event has been heard.
    ticket = until("the customer counts as core", routed)
    assert ticket.assignee_id == hired.id
    decisions = manager.call(manager.tickets.ExplainRouting, ExplainRoutingRequest(id=ticket.id)).decisions
    [why] = [one for one in decisions if one.what == "team"]
    assert (why.reason, why.rule, why.facts["tier"]) == ("RULE", rule["name"], "core")


def published(session: Session, rule: dict[str, Any]) -> bool:
    try:
        publish(session, "routing", rule)
    except Refused as refused:
        if refused.reason != "INVALID_FIELDS":
            raise
        return False
    return True


def test_a_clock_that_nobody_meets_runs_out(writer: Writer, admin: Session) -> None:
    topic = f"quick_{uuid4().hex[:6]}"
    clock = {"name": topic, "title": "1 分钟内回复", "when": f'topic == "{topic}"', "minutes": 1}
    publish(admin, "clocks", {**clock, "until": "answered"})
    ticket = open_ticket(admin, writer.id, "快", topic=topic)
    assert (ticket.next_clock, clocks_of(admin, ticket)[topic][0]) == (topic, "running")
    until(
        "the clock has run out",
        lambda: topic in admin.call(admin.tickets.GetTicket, GetTicketRequest(id=ticket.id)).breached_clocks,
        180.0,
    )
    breached = ListTicketsRequest(customer_id=writer.id, filter="breached")
    assert [one.id for one in admin.call(admin.tickets.ListTickets, breached).tickets] == [ticket.id]
    tell(admin, ticket.id, "抱歉，来晚了")
    assert clocks_of(admin, ticket)[topic][0] == "breached"


def test_a_clock_reminds_once_before_it_runs_out(writer: Writer, admin: Session, behind: Behind) -> None:
    topic = f"soon_{uuid4().hex[:6]}"
    clock = {"name": topic, "title": "3 分钟内回复", "when": f'topic == "{topic}"', "until": "answered"}
    publish(admin, "clocks", {**clock, "minutes": 3, "remind_minutes": 2})
    ticket = open_ticket(admin, writer.id, "快", topic=topic)
    query = "select reminded_at, breached_at from app.clocks where ticket_id = %s and name = %s"

    def reminded() -> datetime | None:
        [(at, _)] = behind.rows("ticketing", query, ticket.id, topic)
        return at  # type: ignore[no-any-return]

    at = until("the clock has reminded", reminded)
    opened = ticket.open_time.ToDatetime(UTC)
    assert at >= opened + timedelta(minutes=1)
    # Answered in time it neither reminds again nor runs out.
    tell(admin, ticket.id, "马上处理")
    assert clocks_of(admin, ticket)[topic] == ("met", timedelta(minutes=3))
    assert behind.rows("ticketing", query, ticket.id, topic) == [(at, None)]


@pytest.mark.feature("T-11")
def test_an_urgent_problem_must_be_answered_within_an_hour(writer: Writer, admin: Session) -> None:
    ticket = open_ticket(admin, writer.id, "设备停机", "十万火急")
    assert clocks_of(admin, ticket)["urgent_answer"] == ("running", timedelta(hours=1))
    assert ticket.next_clock == "urgent_answer"
    tell(admin, ticket.id, "工程师已出发")
    assert clocks_of(admin, ticket)["urgent_answer"] == ("met", timedelta(hours=1))


@pytest.mark.feature("T-12")
def test_a_complaint_has_1_24_and_48_hours(writer: Writer, admin: Session) -> None:
    ticket = open_ticket(admin, writer.id, "投诉", "服务态度恶劣")
    assert ticket.kind == TicketKind.TICKET_KIND_COMPLAINT
    hours = {name: due // timedelta(hours=1) for name, (_, due) in clocks_of(admin, ticket).items()}
    assert hours.items() >= {"complaint_answer": 1, "complaint_plan": 24, "complaint_solve": 48}.items()
    told = tell(admin, ticket.id, "向您道歉")
    assert (told.next_clock, clocks_of(admin, ticket)["complaint_answer"][0]) == ("complaint_plan", "met")
    planned = tell(admin, ticket.id, "明天上门", states_plan=True)
    assert planned.next_clock == "complaint_solve"


@pytest.mark.feature("T-13")
def test_any_consultation_is_answered_within_48_hours(writer: Writer, admin: Session) -> None:
    ticket = open_ticket(admin, writer.id, "咨询", "请问营业时间")
    assert clocks_of(admin, ticket) == {"basic_answer": ("running", timedelta(hours=48))}
    assert ticket.next_due_time.ToDatetime(UTC) > datetime.now(UTC) + timedelta(hours=47)
