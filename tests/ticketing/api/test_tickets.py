"""Tickets are opened, led, solved and found again, each as far as the caller may see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid, StaleEtag
from kernel.pure.grants import Scope
from kernel.rpc.methods import methods_of, service_descriptor
from tests.contracts.examples import promised, same_shape
from tests.ticketing.conftest import NOON
from tests.ticketing.world import Desk, caller, fire, jobs, merge, person, told
from ticketing.api.tickets import TicketServicer
from ticketing.domain.errors import RequesterUnknown, TicketNotFound, UnknownCustomer
from ticketing.usecases.ports import SEND_ANSWER
from ticketing.wiring import TicketingApp

WORDS = "紫色沙发坏了"


def test_every_method_of_the_contract_is_answered() -> None:
    declared = methods_of(service_descriptor("crm.ticketing.v1.TicketService"))
    assert all(hasattr(TicketServicer, method.python_name) for method in declared)


def test_a_ticket_lives_from_the_first_word_to_its_solution(app: TicketingApp, clock: FixedClock) -> None:
    desk = Desk(app)
    customer = person(app)
    opened = desk.open("沙发", WORDS, customer_id=str(customer), channel="phone")
    assert (opened.number[0], opened.subject, opened.customer_id) == ("T", "沙发", str(customer))
    desk.tell(opened.id, "我们派人上门", states_plan=True)
    clock.instant = NOON + timedelta(hours=3)
    solved = desk.command("resolve_ticket", id=opened.id, solution="已更换弹簧")
    assert (solved.status, solved.solution) == (3, "已更换弹簧")
    closed = desk.command("close_ticket", id=opened.id)
    assert closed.status == 4
    [kept] = desk.read("list_tickets", customer_id=str(customer)).tickets
    assert kept == closed
    assert desk.messages(opened.id) == [WORDS, "我们派人上门", "已更换弹簧"]
    versions = [event["tickets"][0] for event in told(app, "TicketsChanged")]
    assert [(one["version"], one["status"]) for one in versions] == [
        (1, "open"), (2, "open"), (3, "resolved"), (4, "closed"),
    ]  # fmt: skip


def test_what_is_told_is_what_was_promised(app: TicketingApp) -> None:
    desk = Desk(app)
    desk.open(customer_id=str(person(app)), channel="phone")
    [row] = app.reader.rows("select body::jsonb as body from outbox")
    for promise in promised("crm.ticketing.v1.TicketsChanged"):
        same_shape(row.body, promise)


def test_what_was_said_stands_nowhere_in_the_database(app: TicketingApp) -> None:
    opened = Desk(app).open("紫色", WORDS, requester_name="紫薇", requester_email="ziwei@example.com")
    Desk(app).command("resolve_ticket", id=opened.id, solution="紫色的新沙发")
    for table in ("tickets", "messages", "outbox", "audit", "decisions", "procrastinate_jobs"):
        text = str(app.reader.rows(f"select t::text as row from {table} t"))
        assert "紫" not in text
        assert "紫".encode().hex() not in text
        assert "ziwei" not in text


def test_words_are_masked_for_those_who_may_not_see_personal_data(app: TicketingApp) -> None:
    opened = Desk(app).open("沙发", WORDS, requester_name="王紫薇", requester_email="ziwei@example.com")
    masked = Desk(app, caller(but=["personal.read"]))
    seen = masked.get(opened.id)
    assert (seen.subject, seen.requester_name, seen.requester_email) == ("***", "***", "z***@example.com")
    assert sorted(seen.masked_fields) == ["requester_email", "requester_name", "subject"]
    assert masked.messages(opened.id) == ["***"]
    assert Desk(app).get(opened.id).subject == "沙发"


def test_who_asked_is_shown_for_a_reason_that_is_kept(app: TicketingApp) -> None:
    desk = Desk(app)
    opened = desk.open(requester_name="王紫薇", requester_email="ziwei@example.com")
    with pytest.raises(Invalid):
        desk.command("reveal_requester", id=opened.id, reason="x")
    shown = desk.command("reveal_requester", id=opened.id, reason="回电确认地址")
    assert (shown.requester_name, shown.requester_email) == ("王紫薇", "ziwei@example.com")
    [audited] = app.reader.rows("select facts, actor_id from audit where action = 'reveal'")
    assert (audited.facts, audited.actor_id) == ({"reason": "回电确认地址"}, desk.principal.id)
    with pytest.raises(RequesterUnknown):
        desk.command("reveal_requester", id=desk.open(separate=True).id, reason="回电确认地址")


def test_consultations_of_one_customer_about_one_thing_are_one_ticket(app: TicketingApp) -> None:
    desk, customer = Desk(app), person(app)
    first = desk.open("发票", "请问发票抬头怎么改", customer_id=str(customer))
    again = desk.open("补充", "发票抬头还没改", customer_id=str(customer), channel="wecom")
    assert again.id == first.id
    assert desk.messages(first.id) == ["请问发票抬头怎么改", "发票抬头还没改"]
    [link] = desk.decisions(first.id, "link")
    assert (link.reason, link.facts["topic"], link.facts["same"]) == ("SAME_CONCERN", "invoice", "customer")
    assert desk.open("退款", "我要退款", customer_id=str(customer)).id != first.id
    assert desk.open("投诉", "投诉发票", customer_id=str(customer)).id != first.id
    assert desk.open("发票", customer_id=str(customer), separate=True).id != first.id
    assert desk.open("发票", customer_id=str(person(app))).id != first.id


def test_a_consultation_of_a_merged_customer_joins_and_is_listed_with_the_survivors(
    app: TicketingApp,
) -> None:
    desk, survivor, absorbed = Desk(app), person(app), person(app)
    first = desk.open("发票", customer_id=str(absorbed))
    merge(app, survivor, absorbed)
    assert desk.open("发票又错了", customer_id=str(survivor)).id == first.id
    for asked in (survivor, absorbed):
        assert [one.id for one in desk.read("list_tickets", customer_id=str(asked)).tickets] == [first.id]


def test_what_the_same_stranger_says_again_joins_by_their_address(app: TicketingApp) -> None:
    desk = Desk(app)
    first = desk.open("发票", requester_email="Ziwei@Example.com")
    assert desk.open("发票", requester_email="ziwei@example.com").id == first.id
    assert desk.open("发票", requester_email="other@example.com").id != first.id


def test_identifying_the_customer_seals_what_was_said_for_them(app: TicketingApp) -> None:
    desk, customer = Desk(app), person(app, spend_tier="core")
    opened = desk.open("沙发", WORDS)
    assert opened.priority == 3
    identified = desk.command("identify_ticket", id=opened.id, customer_id=str(customer), etag=opened.etag)
    assert (identified.customer_id, identified.priority, identified.next_clock) == (
        str(customer),
        2,
        "valuable_answer",
    )
    sealed = app.reader.rows("select sealed_for from tickets union all select sealed_for from messages")
    assert {row.sealed_for for row in sealed} == {customer}
    assert desk.messages(opened.id) == [WORDS]
    with pytest.raises(UnknownCustomer):
        desk.command("identify_ticket", id=opened.id, customer_id=opened.id)


def test_somebody_who_was_slower_is_told_so(app: TicketingApp) -> None:
    desk = Desk(app)
    opened = desk.open()
    desk.tell(opened.id)
    with pytest.raises(StaleEtag):
        desk.command("classify_ticket", id=opened.id, kind="TICKET_KIND_COMPLAINT", etag=opened.etag)


def test_what_is_set_by_hand_stays_when_rules_would_say_otherwise(app: TicketingApp) -> None:
    desk = Desk(app)
    opened = desk.open("很急，要投诉")
    assert (opened.kind, opened.priority) == (2, 1)
    desk.command("classify_ticket", id=opened.id, priority="PRIORITY_LOW")
    assert desk.tell(opened.id).ticket.priority == 4


@pytest.mark.parametrize("scope", [Scope.OWN, Scope.TEAM, Scope.SUBTREE])
def test_tickets_out_of_scope_are_not_there(app: TicketingApp, scope: Scope) -> None:
    opened = Desk(app).open(WORDS)
    stranger = Desk(app, caller(scope))
    with pytest.raises(TicketNotFound):
        stranger.get(opened.id)
    with pytest.raises(TicketNotFound):
        stranger.read("list_messages", id=opened.id)
    with pytest.raises(TicketNotFound):
        stranger.read("explain_clocks", id=opened.id)
    with pytest.raises(TicketNotFound):
        stranger.tell(opened.id)
    assert list(stranger.read("list_tickets").tickets) == []


def test_lists_are_filtered_ordered_and_paged(app: TicketingApp, clock: FixedClock) -> None:
    desk, found = Desk(app), []
    for hour, text in enumerate(("你好", "很急", "投诉", "您好", "紧急投诉")):
        clock.instant = NOON + timedelta(minutes=hour)
        found.append(desk.open(text, separate=True).id)
    page = desk.read("list_tickets", page_size=2)
    rest = desk.read("list_tickets", page_size=200, page_token=page.next_page_token)
    assert [one.id for one in (*page.tickets, *rest.tickets)] == found[::-1]
    urgent = desk.read("list_tickets", filter='priority == "urgent"', order_by="next_due_time")
    assert [one.id for one in urgent.tickets] == [found[1], found[4]]
    first = desk.read("list_tickets", order_by="next_due_time", page_size=3)
    more = desk.read("list_tickets", order_by="next_due_time", page_token=first.next_page_token)
    assert [one.id for one in (*first.tickets, *more.tickets)] == [found[n] for n in (1, 2, 4, 0, 3)]
    with pytest.raises(Invalid):
        desk.read("list_tickets", filter="solution == 'x'")


def test_an_answer_goes_out_by_mail_when_somebody_can_be_reached(app: TicketingApp) -> None:
    desk = Desk(app)
    by_mail = desk.tell(desk.open(requester_email="a@example.com").id)
    unreachable = desk.tell(desk.open(separate=True).id)
    assert (by_mail.message.delivery, unreachable.message.delivery) == (1, 4)
    assert jobs(app, SEND_ANSWER) == [{"message_id": by_mail.message.id}]


def test_a_resolved_ticket_is_closed_after_a_week_unless_the_customer_says_something(
    app: TicketingApp, clock: FixedClock
) -> None:
    desk, customer = Desk(app), person(app)
    quiet, speaking = desk.open(separate=True), desk.open("发票", customer_id=str(customer))
    for one in (quiet, speaking):
        desk.command("resolve_ticket", id=one.id, solution="好了")
    clock.instant = NOON + timedelta(days=2)
    desk.open("发票还是不对", customer_id=str(customer))
    clock.instant = NOON + timedelta(days=7)
    fire(app)
    assert (desk.get(quiet.id).status, desk.get(speaking.id).status) == (4, 1)


@pytest.mark.parametrize(
    ("fields", "violated"),
    [
        ({"subject": "  "}, "ticket.subject"),
        ({"subject": "长" * 301}, "ticket.subject"),
        ({"subject": "x", "requester_email": "nobody"}, "ticket.requester_email"),
        ({"subject": "x", "channel": "Fax!"}, "ticket.channel"),
        ({"subject": "x", "topic": "Not a word"}, "ticket.topic"),
        ({"subject": "x", "content": "\x07"}, "content"),
    ],
)
def test_a_ticket_that_breaks_a_rule_is_refused_by_the_field(
    app: TicketingApp, fields: dict[str, str], violated: str
) -> None:
    with pytest.raises(Invalid) as error:
        Desk(app).open(**fields)  # type: ignore[arg-type]
    assert [violation.field for violation in error.value.violations] == [violated]
    assert app.reader.rows("select 1 from tickets") == []
