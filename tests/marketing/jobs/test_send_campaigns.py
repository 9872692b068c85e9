"""Campaigns reach exactly whom they may, once, by real SMTP (M-02, M-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.mail.mailer import Permitted
from kernel.pure.clock import FixedClock
from kernel.pure.ids import new_id
from marketing.domain.campaign import Campaign, Channel
from marketing.jobs.courier import Courier
from marketing.usecases.change_caps import change_cap
from marketing.usecases.note_engagement import follow_consents
from marketing.usecases.ports import Contact
from marketing.usecases.send_messages import Outcome
from marketing.usecases.write_campaigns import cancel_campaign, pause_campaign, resume_campaign
from marketing.wiring import MarketingApp
from tests.marketing.campaigns import SERVICE, messages, started, states, told
from tests.marketing.jobs.conftest import PERMIT_SECONDS, Inbox, Town


def test_every_member_of_the_group_gets_it_once(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    campaign = started(app)
    run()
    assert inbox.recipients == sorted(town.people.values())
    assert states(app, campaign) == {"sent": 10}
    with app.work(SERVICE) as work:
        assert work.campaigns.get(campaign.id).status.value == "finished"
    run()
    assert len(inbox.mails) == 10


def test_a_mail_is_personal_and_can_be_ended_in_one_click(app: MarketingApp, inbox: Inbox, run: Any) -> None:
    started(app)
    run()
    _, mail = inbox.mails[0]
    assert mail["Subject"] == "致 王小明"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip().strip("<>")
    text = mail.get_body(("plain",))
    assert text is not None
    assert link in text.get_content()
    assert "https://shop.example/new" not in text.get_content()


def test_nobody_without_consent_gets_it(app: MarketingApp, town: Town, inbox: Inbox, run: Any) -> None:
    town.unwilling = set(list(town.people)[::2])
    campaign = started(app)
    run()
    willing = [address for one, address in town.people.items() if one not in town.unwilling]
    assert inbox.recipients == sorted(willing)
    assert states(app, campaign) == {"sent": 5, "skipped NO_CONSENT": 5}
    assert town.disclosed.isdisjoint(town.unwilling)


def test_whoever_was_merged_meanwhile_is_not_written_to_twice(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    """The second of two ids waits while the first is written to, and both turn out to be one human."""
    campaign = started(app)
    first, last = sorted(town.people)[0], sorted(town.people)[-1]

    def merge() -> None:
        with app.work(SERVICE) as work:
            work.links.apply([(last, first, 1)])

    inbox.received = merge
    run()
    assert town.people[last] not in inbox.recipients
    assert states(app, campaign) == {"sent": 9, "skipped MERGED": 1}


def test_the_cap_counts_for_all_ids_of_a_human(app: MarketingApp, town: Town, inbox: Inbox, run: Any) -> None:
    with app.work(SERVICE) as work:
        change_cap(work, Channel.EMAIL, messages=1, days=7)
    started(app)
    run()
    known, other = sorted(town.people)[0], new_id()
    town.people = {other: "other@example.com", new_id(): "third@example.com"}
    with app.work(SERVICE) as work:
        work.links.apply([(other, known, 1)])
    second = started(app)
    run()
    assert states(app, second) == {"sent": 1, "skipped FREQUENCY_CAP": 1}


def test_permits_that_nobody_can_verify_hold_the_campaign_up(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    """Keys that don't fit, or clocks that are apart: to ask again at once would ask for ever."""
    campaign = started(app)
    town.permit_keys = dict  # type: ignore[method-assign]
    run()
    assert town.permits_asked == 1
    assert inbox.mails == []
    with app.work(SERVICE) as work:
        assert work.campaigns.get(campaign.id).waits_for == "PERMIT_REFUSED"
    del town.permit_keys  # type: ignore[method-assign]
    run()
    assert states(app, campaign) == {"sent": 10}


def test_a_withdrawal_in_the_middle_is_honoured(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    campaign = started(app)
    last = sorted(town.people)[-1]

    def withdraw() -> None:
        with app.work(SERVICE) as work:
            follow_consents(work, [(last, "newsletter", "*", "withdrawn")])

    inbox.received = withdraw
    run()
    assert town.people[last] not in inbox.recipients
    assert states(app, campaign) == {"sent": 9, "skipped CONSENT_WITHDRAWN": 1}


def test_without_leave_from_privacy_nothing_is_sent(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    campaign = started(app)
    town.away = {"privacy"}
    run()
    assert inbox.mails == []
    with app.work(SERVICE) as work:
        assert work.campaigns.get(campaign.id).waits_for == "PRIVACY_UNAVAILABLE"
    town.away = set()
    run()
    assert len(inbox.mails) == 10
    with app.work(SERVICE) as work:
        assert work.campaigns.get(campaign.id).waits_for == ""


class Dying(Courier):
    """Its process dies when the third mail has left the house."""

    sent = 0

    def send(self, campaign: Campaign, message_id: UUID, contact: Contact, permitted: Permitted) -> Outcome:
        outcome = super().send(campaign, message_id, contact, permitted)
        Dying.sent += 1
        if Dying.sent == 3:
            raise SystemExit
        return outcome


def test_what_a_dead_process_may_have_sent_is_not_sent_again(
    app: MarketingApp, town: Town, inbox: Inbox, clock: FixedClock, run: Any
) -> None:
    campaign = started(app)
    Dying.sent = 0
    with pytest.raises(SystemExit):
        run(Dying)
    run()
    assert states(app, campaign) == {"sent": 9, "attempted": 1}
    clock.instant += timedelta(minutes=10)
    run()
    assert states(app, campaign) == {"sent": 9, "unknown PROCESS_DIED": 1}
    assert inbox.recipients == sorted(town.people.values())


def test_a_busy_mail_server_is_asked_again_and_a_refusal_is_final(
    app: MarketingApp, town: Town, inbox: Inbox, run: Any
) -> None:
    wrong = next(iter(town.people))
    town.people[wrong] = "nobody@example.com"
    campaign = started(app)
    inbox.busy = True
    run()
    assert states(app, campaign) == {"waiting": 10}
    inbox.busy = False
    run()
    assert states(app, campaign) == {"sent": 9, "failed MAIL_REFUSED_550": 1}


def test_who_has_no_address_is_skipped(app: MarketingApp, town: Town, inbox: Inbox, run: Any) -> None:
    town.people[next(iter(town.people))] = ""
    campaign = started(app)
    run()
    assert states(app, campaign) == {"sent": 9, "skipped NO_ADDRESS": 1}


def test_nobody_is_written_to_more_often_than_the_cap_allows(
    app: MarketingApp, inbox: Inbox, clock: FixedClock, run: Any
) -> None:
    with app.work(SERVICE) as work:
        change_cap(work, Channel.EMAIL, messages=1, days=7)
    started(app)
    run()
    second = started(app)
    run()
    assert states(app, second) == {"skipped FREQUENCY_CAP": 10}
    clock.instant += timedelta(days=7, seconds=1)
    third = started(app)
    run()
    assert states(app, third) == {"sent": 10}


def test_paused_it_rests_and_resumed_it_goes_on(app: MarketingApp, inbox: Inbox, run: Any) -> None:
    campaign = started(app)

    def pause() -> None:
        inbox.received = lambda: None
        with app.work(SERVICE) as work:
            pause_campaign(work, campaign.id)

    inbox.received = pause
    run()
    assert states(app, campaign) == {"sent": 1, "waiting": 9}
    with app.work(SERVICE) as work:
        resume_campaign(work, campaign.id)
    run()
    assert states(app, campaign) == {"sent": 10}


def test_cancelled_it_skips_what_waits(app: MarketingApp, inbox: Inbox, run: Any) -> None:
    campaign = started(app)

    def cancel() -> None:
        inbox.received = lambda: None
        with app.work(SERVICE) as work:
            cancel_campaign(work, campaign.id)

    inbox.received = cancel
    run()
    assert states(app, campaign) == {"sent": 1, "skipped CAMPAIGN_CANCELLED": 9}


class Slow(Courier):
    """So slow that permits expire on the way to the mail server."""

    def send(self, campaign: Campaign, message_id: UUID, contact: Contact, permitted: Permitted) -> Outcome:
        clock = self._mailer._clock
        assert isinstance(clock, FixedClock)
        clock.instant += timedelta(seconds=PERMIT_SECONDS + 1)
        outcome = super().send(campaign, message_id, contact, permitted)
        assert outcome.reason == "PERMIT_REFUSED"
        return outcome


def test_an_expired_permit_sends_nothing(app: MarketingApp, inbox: Inbox, run: Any) -> None:
    campaign = started(app)
    run(Slow)
    assert inbox.mails == []
    assert states(app, campaign) == {"waiting": 10}
    run()
    assert states(app, campaign) == {"sent": 10}


def test_what_became_of_each_message_is_told(app: MarketingApp, town: Town, inbox: Inbox, run: Any) -> None:
    campaign = started(app)
    run()
    items = [item for event in told(app, "MessagesChanged") for item in event["messages"]]
    assert {item["customerId"] for item in items if item["state"] == "sent"} == {
        str(one) for one in town.people
    }
    versions = {message.id: message.version for message in messages(app, campaign).values()}
    assert {UUID(item["messageId"]): item["version"] for item in items} == versions
