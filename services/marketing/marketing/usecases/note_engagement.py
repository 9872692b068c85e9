"""What recipients do with a message, and what they wish (M-24)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from marketing.domain.errors import LinkNotFound
from marketing.domain.events import RecipientUnsubscribed
from marketing.domain.messages import ENDED, Message, State
from marketing.domain.suppression import Reason
from marketing.usecases.ports import Work
from marketing.usecases.suppress_addresses import suppress
from marketing.usecases.tell import tell_messages

# States of a consent that forbid sending.
_FORBIDDING = frozenset({"refused", "withdrawn", "expired"})


def note_opened(work: Work, message_id: UUID) -> None:
    """Raises LinkNotFound when there is no such message."""
    _note(work, message_id, lambda message: message.opened(work.now))


def note_clicked(work: Work, message_id: UUID) -> Message:
    """Raises LinkNotFound when there is no such message."""
    return _note(work, message_id, lambda message: message.clicked(work.now))


def unsubscribe(work: Work, message_id: UUID) -> None:
    """Tells privacy, who keeps consents, and stops what waits here at once. Again is no second withdrawal.

    Raises LinkNotFound when there is no such message.
    """
    before = _lend(work, message_id)
    if before.unsubscribed_at is not None:
        return
    message = _note(work, message_id, lambda one: one.unsubscribed(work.now))
    campaign = work.campaigns.get(message.campaign_id)
    channel = campaign.channel.value
    work.record(RecipientUnsubscribed(message.customer_id, campaign.purpose, channel, message.id, work.now))
    if message.address is not None:
        # Whoever else is reached there does not want it either.
        suppress(work, campaign.channel, campaign.purpose, message.address, Reason.UNSUBSCRIBED)
    stop_waiting(work, message.customer_id, campaign.purpose, channel, "UNSUBSCRIBED")
    work.audit("unsubscribe", "message", message.id, purpose=campaign.purpose, channel=channel)


def follow_consents(work: Work, told: Iterable[tuple[UUID, str, str, str]]) -> None:
    """(customer id, purpose, channel, state) of consents that changed: a withdrawal skips what waits."""
    for customer_id, purpose, channel, state in told:
        if state in _FORBIDDING:
            stop_waiting(work, customer_id, purpose, channel, "CONSENT_WITHDRAWN")


def stop_waiting(work: Work, customer_id: UUID, purpose: str, channel: str, reason: str) -> int:
    """Skips what waits to be sent to a customer ("": for whatever purpose, "*": on every channel)."""
    skipped = [
        message.skipped(reason) for message in work.messages.waiting_for(customer_id, purpose, channel)
    ]
    work.messages.save(skipped)
    for message in skipped:
        tell_messages(work, [message], work.campaigns.get(message.campaign_id))
    return len(skipped)


def _note(work: Work, message_id: UUID, change: Callable[[Message], Message]) -> Message:
    message = _lend(work, message_id)
    changed = change(message)
    if changed is not message:
        work.messages.save([changed])
        tell_messages(work, [changed], work.campaigns.get(changed.campaign_id))
    return changed


def _lend(work: Work, message_id: UUID) -> Message:
    for message in work.messages.lend([message_id]):
        if message.state in ENDED or message.state is State.ATTEMPTED:
            return message
    raise LinkNotFound
