"""What stands on the list is not written to; who comes on it while campaigns are sent (by real SMTP)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from kernel.pure.clock import FixedClock
from kernel.sql.crypto.errors import KeyringUnavailable
from marketing.domain.campaign import Campaign, Channel
from marketing.domain.suppression import Reason
from marketing.usecases.erase_recipients import erase_recipients
from marketing.usecases.note_engagement import unsubscribe
from marketing.usecases.suppress_addresses import suppress_address, suppress_erased
from marketing.wiring import MarketingApp
from tests.marketing.campaigns import SERVICE, messages, started, states, told
from tests.marketing.domain.test_suppression import consent
from tests.marketing.jobs.conftest import Inbox, Town


def listed(app: MarketingApp) -> list[tuple[str, str]]:
    """(purpose, reason) of what stands on the list."""
    return [tuple(row) for row in app.reader.rows("select purpose, reason from suppressions order by id")]  # type: ignore[misc]


def leave(app: MarketingApp, campaign: Campaign, customer_id: UUID) -> None:
    """The customer unsubscribes by the link in their message."""
    with app.work(SERVICE) as work:
        unsubscribe(work, messages(app, campaign)[customer_id].id)


def test_a_suppressed_address_is_not_written_to(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    first = next(iter(town.people))
    with app.work(SERVICE) as work:
        suppress_address(work, Channel.EMAIL, town.people[first].upper(), Reason.COMPLAINT)
    campaign = started(app)
    run()
    assert town.people[first] not in inbox.recipients
    assert states(app, campaign) == {"sent": 9, "skipped SUPPRESSED": 1}
    items = [item for event in told(app, "MessagesChanged") for item in event["messages"]]
    assert {item["state"] for item in items if item["customerId"] == str(first)} == {"skipped"}


def test_one_that_comes_on_the_list_in_the_middle_is_not_written_to(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    campaign = started(app)
    last = sorted(town.people)[-1]

    def complain() -> None:
        inbox.received = lambda: None
        with app.work(SERVICE) as work:
            suppress_address(work, Channel.EMAIL, town.people[last], Reason.MANUAL)

    inbox.received = complain
    run()
    assert states(app, campaign) == {"sent": 9, "skipped SUPPRESSED": 1}


def test_a_mailbox_that_does_not_exist_is_asked_once(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    wrong = next(iter(town.people))
    town.people[wrong] = "nobody@example.com"
    first = started(app)
    run()
    second = started(app)
    run()
    assert states(app, first) == {"sent": 9, "failed MAIL_REFUSED_550": 1}
    assert states(app, second) == {"sent": 9, "skipped SUPPRESSED": 1}
    assert listed(app) == [("", "hard_bounce")]


def test_a_refusal_that_is_not_of_the_mailbox_puts_nobody_on_the_list(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    inbox.refusal = "550 5.7.1 we take nothing from you"
    town.people[next(iter(town.people))] = "nobody@example.com"
    campaign = started(app)
    run()
    assert states(app, campaign) == {"sent": 9, "failed MAIL_REFUSED_550": 1}
    assert listed(app) == []


def test_who_unsubscribed_is_not_written_to_under_another_id_either(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    one, twin, *_ = sorted(town.people)
    town.people = {one: "wang@example.com"}
    first = started(app)
    run()
    leave(app, first, one)
    assert listed(app) == [("newsletter", "unsubscribed")]
    town.people = {twin: "wang@example.com"}
    again, other = started(app), started(app, purpose="invoices")
    run()
    assert states(app, again) == {"skipped SUPPRESSED": 1}
    assert states(app, other) == {"sent": 1}


def test_a_newer_consent_outweighs_and_unsubscribing_again_outweighs_that(
    app: MarketingApp, town: Town, inbox: Inbox, clock: FixedClock, run: Any
) -> None:
    [one, *_] = town.people
    town.people = {one: "wang@example.com"}
    first = started(app)
    run()
    leave(app, first, one)
    clock.instant = clock.instant.replace(hour=5)
    town.consent = consent(clock.now())
    second = started(app)
    run()
    assert states(app, second) == {"sent": 1}
    clock.instant = clock.instant.replace(hour=6)
    leave(app, second, one)
    third = started(app)
    run()
    assert states(app, third) == {"skipped SUPPRESSED": 1}
    assert listed(app) == [("newsletter", "unsubscribed")]


def test_who_was_erased_is_not_written_to_under_another_id_and_their_hash_stands_at_no_message(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    one, twin, another, *_ = sorted(town.people)
    town.people = {one: "wang@example.com"}
    started(app)
    run()
    with app.work(SERVICE) as work:
        suppress_erased(work, ["Wang@example.com", "wang.old@example.com"])
        assert erase_recipients(work, [one]).rows == {"messages": 0, "addresses": 1, "links": 0}
        assert erase_recipients(work, [one]).rows == {"messages": 0, "addresses": 0, "links": 0}
    assert listed(app) == [("", "erased"), ("", "erased")]
    assert app.reader.rows("select from messages where customer_id = %s and address is not null", [one]) == []
    town.people = {twin: "wang@example.com", another: "wang.old@example.com"}
    campaign = started(app)
    run()
    assert states(app, campaign) == {"skipped SUPPRESSED": 2}


def test_where_messages_of_the_erased_went_is_suppressed_though_nobody_noted_it(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    """An address they had before: the customer service knows it no more."""
    [one, *_] = town.people
    town.people = {one: "old@example.com"}
    started(app)
    run()
    with app.work(SERVICE) as work:
        erase_recipients(work, [one])
    assert listed(app) == [("", "erased")]


def test_while_the_list_can_not_be_asked_nothing_is_sent(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = started(app)

    def away(*_: object) -> bytes:
        raise KeyringUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(app.blind, "token", away)
        run()
    assert states(app, campaign) == {"waiting": 10}
    with app.work(SERVICE) as work:
        assert work.campaigns.get(campaign.id).waits_for == "KEYRING_UNAVAILABLE"
    run()
    assert states(app, campaign) == {"sent": 10}


def test_no_address_stands_in_the_database_or_is_told(app: MarketingApp, town: Town, run: Any) -> None:
    with app.work(SERVICE) as work:
        suppress_address(work, Channel.EMAIL, "wang@example.com", Reason.MANUAL)
    started(app)
    run()
    for table in ("suppressions", "messages", "outbox", "audit"):
        assert "example.com" not in str(app.reader.rows(f"select t::text as row from {table} t"))
