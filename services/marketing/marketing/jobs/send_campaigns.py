"""The job that writes audiences down and sends. One process at a time does it; when it dies, another goes on
with what the rows say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

from kernel.jobs.job import Running
from kernel.mail.mailer import Mailer, Permitted
from kernel.ops.logs import logger
from kernel.pure.errors import Unavailable
from kernel.pure.permits import PermitRefused, verify
from kernel.rpc.channel import PeerRefused, Peers
from marketing import metrics
from marketing.domain.campaign import Campaign, Status
from marketing.domain.messages import Message, State
from marketing.jobs.courier import Courier
from marketing.jobs.neighbours import GrpcNeighbours
from marketing.usecases import send_messages as steps
from marketing.usecases.ports import Contact, Neighbours
from marketing.usecases.send_messages import Outcome

_log = logger(__name__)

# Messages asked leave for at once: less than a permit's minute of sending.
_BATCH = 100
_ABANDONED = 500


def send_campaigns(running: Running) -> None:
    """Works on the campaigns that are under way, a batch of each in turn, until none can go on."""
    app: Any = running.app
    settings = app.settings
    with closing(Mailer(settings.smtp_url, (), app.clock)) as mailer, closing(Peers(settings)) as peers:
        courier = Courier(mailer, app.tokens, settings.public_url, settings.campaign_sender)
        sending = Sending(running, GrpcNeighbours(peers), courier)
        while sending.step():
            running.checkpoint()


class Sending:
    """One run of the job."""

    def __init__(self, running: Running, neighbours: Neighbours, courier: Courier) -> None:
        app: Any = running.app
        self._running = running
        self._longest_attempt: timedelta = app.settings.longest_attempt
        self._neighbours = neighbours
        self._courier = courier
        # Campaigns that wait for something in this run; the next run, a minute later, tries again.
        self._held_up: set[UUID] = set()

    def step(self) -> bool:
        """A batch of each campaign; whether anything is left to be done now."""
        with self._work() as work:
            before = work.now - self._longest_attempt
            lost = steps.give_up_abandoned(work, before, _ABANDONED)
            campaigns = [one for one in work.campaigns.under_way() if one.id not in self._held_up]
        metrics.messages_ended.labels(State.UNKNOWN.value).inc(lost)
        moved = [self._advance(campaign) for campaign in campaigns]
        return any(moved)

    def _advance(self, campaign: Campaign) -> bool:
        """One batch of a campaign; whether there may be more. What is away holds it up: without leave
        from the privacy service nothing is sent."""
        try:
            if campaign.status is Status.PREPARING:
                return self._write_down(campaign)
            return self._send_batch(campaign)
        except (Unavailable, PeerRefused) as error:
            reason = error.metadata.get("service", "").upper()
            self._hold_up(campaign, f"{reason}_UNAVAILABLE" if reason else error.reason)
            return False

    def _write_down(self, campaign: Campaign) -> bool:
        customers, after = self._neighbours.members(campaign.group_id, campaign.audience_after or "")
        with self._work() as work:
            steps.write_down(work, campaign.id, customers, after)
        return True

    def _send_batch(self, campaign: Campaign) -> bool:
        with self._work() as work:
            batch = work.messages.waiting(campaign.id, _BATCH)
        if not batch:
            with self._work() as work:
                steps.finish(work, campaign.id)
            return False
        leave = self._neighbours.leave_to_send(campaign, [message.customer_id for message in batch])
        # Names and addresses of those only who may be written to.
        permitted = [one for one, answer in leave.items() if not answer.refusal]
        contacts = self._neighbours.contacts(permitted) if permitted else {}
        skipped = {
            message.id: reason
            for message in batch
            if (reason := leave[message.customer_id].refusal or _obstacle(contacts.get(message.customer_id)))
        }
        with self._work() as work:
            steps.skip(work, campaign, skipped)
            if campaign.waits_for:
                steps.hold_up(work, campaign.id, "")
        metrics.messages_ended.labels(State.SKIPPED.value).inc(len(skipped))
        keys = self._neighbours.permit_keys()
        wanted = [message for message in batch if message.id not in skipped]
        return self._send_each(
            campaign,
            wanted,
            lambda message: (
                contacts[message.customer_id],
                Permitted(
                    leave[message.customer_id].permit,
                    keys,
                    str(message.customer_id),
                    campaign.purpose,
                    campaign.channel.value,
                    str(campaign.id),
                ),
            ),
        )

    def _send_each(
        self,
        campaign: Campaign,
        wanted: list[Message],
        means: Callable[[Message], tuple[Contact, Permitted]],
    ) -> bool:
        """Whether to go on. The outcome of one message and the attempt at the next are one transaction, so
        that a process that dies leaves one message unknown at most."""
        outcome: Outcome | None = None
        refused = ""
        for number, message in enumerate(wanted):
            contact, permitted = means(message)
            with self._work() as work:
                if outcome is not None:
                    steps.settle(work, campaign, outcome)
                    outcome = None
                try:
                    permit = verify(permitted.token, permitted.keys, work.now)
                except PermitRefused as refusal:
                    # Too slow: the rest of the batch is asked for again. The first of it was just asked for:
                    # what is wrong there asking at once does not mend.
                    refused = "" if number else refusal.reason
                    break
                claimed = steps.claim(work, campaign, message.id, permit.consent_id, contact.addresses[0])
            if not claimed:
                continue
            outcome = self._courier.send(campaign, message.id, contact, permitted)
            metrics.messages_ended.labels(outcome.state.value).inc()
            if outcome.state is State.WAITING or self._running.should_stop():
                break
        if outcome is not None:
            with self._work() as work:
                steps.settle(work, campaign, outcome)
            if outcome.state is State.WAITING:
                refused = outcome.reason
        if refused:
            self._hold_up(campaign, refused)
        return not refused

    def _hold_up(self, campaign: Campaign, reason: str) -> None:
        self._held_up.add(campaign.id)
        metrics.campaigns_held_up.labels(reason).inc()
        _log.warning("campaign waits", campaign_id=str(campaign.id), reason=reason)
        with self._work() as work:
            steps.hold_up(work, campaign.id, reason)

    def _work(self) -> Any:
        return self._running.work()


def _obstacle(contact: Contact | None) -> str:
    """Why somebody can't be written to; "" when they can."""
    if contact is None or contact.out_of_reach:
        return "OUT_OF_REACH"
    return "" if contact.addresses else "NO_ADDRESS"
