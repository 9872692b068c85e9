"""A closed ticket asks once how satisfied the customer is, and hears the answer once (T-17)."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from crm.ticketing.v1 import survey_service_pb2 as rpc
from crm.ticketing.v1 import ticket_pb2 as pb
from kernel.jobs.job import Running
from kernel.pure.clock import FixedClock
from kernel.pure.errors import Invalid
from kernel.pure.grants import ANONYMOUS
from kernel.rpc.call import Call
from kernel.sql.counters import LocalCounters
from tests.contracts.examples import promised, same_shape
from tests.ticketing.test_erasing import erase, restrict
from tests.ticketing.test_mail import Customers, letters, mailbox
from tests.ticketing.world import Desk, caller, fire, jobs, person, publish, told
from ticketing.api.surveys import SurveyServicer
from ticketing.domain.errors import SurveyAnsweredBefore, SurveyNotFound, TooManyForms
from ticketing.jobs import send_survey
from ticketing.usecases.ports import SEND_SURVEY
from ticketing.wiring import TicketingApp

__all__ = ["mailbox"]  # a fixture

XIAOMING = "xiaoming@example.com"


@pytest.fixture(autouse=True)
def nobody_counted(app: TicketingApp) -> None:
    app.counters = LocalCounters()


def closed(app: TicketingApp, **fields: Any) -> pb.Ticket:
    desk = Desk(app)
    ticket = desk.open(**(fields or {"requester_email": XIAOMING}))
    desk.command("resolve_ticket", id=ticket.id, solution="已修")
    shown: pb.Ticket = desk.command("close_ticket", id=ticket.id)
    return shown


def ask(app: TicketingApp, customers: Customers | None = None) -> None:
    """Sends all surveys that wait, as often as it likes."""
    job = send_survey.job(customers or Customers())
    for arguments in [*jobs(app, SEND_SURVEY)] * 2:
        job.run(Running(app, 1, lambda: False), **arguments)


def code_in(app: TicketingApp, letter: EmailMessage) -> str:
    [link] = [word for word in letter.get_content().split() if word.startswith(app.settings.survey_url)]
    return str(link).removeprefix(app.settings.survey_url)


def answer(app: TicketingApp, code: str, satisfaction: int = 5, **more: Any) -> None:
    """As anybody on the web, from one address."""
    with app.work(ANONYMOUS) as work:
        call = Call(ANONYMOUS, "zh", "192.0.2.1", lambda *_: None, work=work)
        request = rpc.AnswerSurveyRequest(code=code, satisfaction=satisfaction, **more)
        SurveyServicer(app).answer_survey(request, call)


def test_a_closed_ticket_asks_once_and_its_answer_is_told_and_shown(app: TicketingApp, mailbox: Path) -> None:
    customer = person(app)
    ticket = closed(app, customer_id=str(customer))
    assert ticket.survey.delivery == pb.DELIVERY_QUEUED
    ask(app, Customers({XIAOMING: [customer]}))
    [letter] = letters(mailbox)
    assert (letter["To"], letter["Auto-Submitted"]) == (XIAOMING, "auto-generated")
    assert ticket.number in letter["Subject"]
    code = code_in(app, letter)
    answer(app, code, 4, likelihood=0, comment="修得很快")
    with pytest.raises(SurveyAnsweredBefore):
        answer(app, code, 1)
    events = told(app, "SurveyAnswered")
    assert [(one["kind"], one.get("score", 0)) for one in events] == [("csat", 4), ("nps", 0)]
    assert {(one["ticketId"], one["customerId"]) for one in events} == {(ticket.id, str(customer))}
    sql = "select body::jsonb as body from outbox where type = 'crm.ticketing.v1.SurveyAnswered'"
    for row in app.reader.rows(sql):
        for promise in promised("crm.ticketing.v1.SurveyAnswered"):
            same_shape(row.body, promise)
    survey = Desk(app).get(ticket.id).survey
    assert (survey.satisfaction, survey.likelihood, survey.comment) == (4, 0, "修得很快")
    assert (survey.delivery, survey.HasField("likelihood")) == (pb.DELIVERY_SENT, True)
    other = Desk(app, caller(but=("personal.read",))).get(ticket.id).survey
    assert (other.satisfaction, other.comment) == (4, "***")
    [row] = app.reader.rows("select sealed from surveys")
    assert "修得很快".encode() not in bytes(row.sealed)


def test_a_ticket_that_is_closed_again_asks_nothing_more(app: TicketingApp, mailbox: Path) -> None:
    ticket = closed(app)
    desk = Desk(app)
    desk.command("reopen_ticket", id=ticket.id)
    desk.command("resolve_ticket", id=ticket.id, solution="再修")
    desk.command("close_ticket", id=ticket.id)
    ask(app)
    assert len(letters(mailbox)) == 1


def test_a_ticket_that_time_closes_asks_too(app: TicketingApp, clock: FixedClock) -> None:
    desk = Desk(app)
    ticket = desk.open(requester_email=XIAOMING)
    desk.command("resolve_ticket", id=ticket.id, solution="已修")
    clock.instant += timedelta(days=8)
    fire(app)
    assert desk.get(ticket.id).survey.delivery == pb.DELIVERY_QUEUED


def test_nobody_is_asked_who_can_not_be_reached_or_when_the_rule_book_says_so(app: TicketingApp) -> None:
    assert not closed(app, subject="电话").HasField("survey")
    publish(app, survey_days=0)
    assert not closed(app).HasField("survey")


def test_nobody_restricted_is_asked(app: TicketingApp, mailbox: Path) -> None:
    customer = person(app)
    closed(app, customer_id=str(customer), requester_email=XIAOMING)
    restrict(app, customer)
    ask(app)
    assert letters(mailbox) == []


def test_a_survey_ends(app: TicketingApp, mailbox: Path, clock: FixedClock) -> None:
    closed(app)
    ask(app)
    code = code_in(app, letters(mailbox)[0])
    clock.instant += timedelta(days=14)
    for wrong in (code, code[:-1] + ("a" if code[-1] != "a" else "b"), "x", ""):
        with pytest.raises(SurveyNotFound):
            answer(app, wrong)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"satisfaction": 0}, "satisfaction"),
        ({"satisfaction": 6}, "satisfaction"),
        ({"likelihood": 11}, "likelihood"),
        ({"likelihood": -1}, "likelihood"),
        ({"comment": "x" * 2001}, "comment"),
    ],
)
def test_an_answer_that_is_none_can_be_given_again(
    app: TicketingApp, mailbox: Path, fields: dict[str, Any], field: str
) -> None:
    closed(app)
    ask(app)
    code = code_in(app, letters(mailbox)[0])
    with pytest.raises(Invalid) as refused:
        answer(app, code, **fields)
    assert [violation.field for violation in refused.value.violations] == [field]
    answer(app, code)


def test_answers_from_one_address_are_counted(app: TicketingApp) -> None:
    for _ in range(app.settings.forms_per_address):
        with pytest.raises(SurveyNotFound):
            answer(app, "x")
    with pytest.raises(TooManyForms):
        answer(app, "x")


@pytest.mark.parametrize("answered", [True, False])
def test_an_erased_persons_words_go_and_their_score_stays(
    app: TicketingApp, mailbox: Path, answered: bool
) -> None:
    customer = person(app)
    ticket = closed(app, customer_id=str(customer))
    ask(app, Customers({XIAOMING: [customer]}))
    code = code_in(app, letters(mailbox)[0])
    if answered:
        answer(app, code, 2, comment="太慢")
    assert erase(app, customer)["surveys"] == 1
    survey = Desk(app).get(ticket.id).survey
    assert (survey.satisfaction, survey.comment) == (2 if answered else 0, "")
    with pytest.raises(SurveyAnsweredBefore if answered else SurveyNotFound):
        answer(app, code)
    assert erase(app, customer) == {}
