"""Addresses that are not written to any more, whosever they are."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

from kernel.pure.contact import normalize_email
from kernel.pure.errors import Checks
from kernel.pure.notes import check_impersonal
from marketing.domain.campaign import Channel

_LONGEST_REASON = 200
_MILLISECONDS = 80  # bits of a UUIDv7 below its instant


class Reason(Enum):
    # The mail server of the address says that there is no such mailbox.
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    UNSUBSCRIBED = "unsubscribed"
    # It was the address of a person whose data was erased.
    ERASED = "erased"


# Why people, or whoever runs our mail, put an address on the list; the rest follows from what happened.
BY_HAND = frozenset({Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.MANUAL})


@dataclass(frozen=True)
class Suppression:
    """`purpose` "" stands for every purpose. Which address it is, only a keyed hash knows."""

    id: UUID
    channel: Channel
    purpose: str
    reason: Reason
    created_at: datetime
    actor_id: str

    def forbids(self, purpose: str, consented_at: datetime | None) -> bool:
        """Whether no message for `purpose` may go there. Whoever unsubscribed and consented later wants to be
        written to again; None: it rests on no consent."""
        if self.purpose not in ("", purpose):
            return False
        if self.reason is not Reason.UNSUBSCRIBED or consented_at is None:
            return True
        return consented_at <= self.created_at


def forbidden(on_list: Iterable[Suppression], purpose: str, consent_id: str) -> bool:
    """Whether what stands on the list for an address forbids a message that rests on a consent, named by
    its event of the ledger; "": it rests on none."""
    at = consented_at(consent_id)
    return any(one.forbids(purpose, at) for one in on_list)


def consented_at(consent_id: str) -> datetime | None:
    """When an event of the ledger was recorded, as its id tells; None for what is no such id."""
    with suppress(ValueError):
        event = UUID(consent_id)
        if event.version == 7:
            return datetime.fromtimestamp((event.int >> _MILLISECONDS) / 1000, UTC)
    return None


def read_wish(channel: Channel | None, address: str, reason: Reason | None) -> tuple[Channel, str, Reason]:
    """What somebody wants to be put on the list: channel, address in normal form, reason.

    Raises Invalid naming each wrong field.
    """
    checks = Checks()
    if reason not in BY_HAND:
        names = ", ".join(sorted(one.name for one in BY_HAND))
        checks.refuse("reason", "REQUIRED", f"must be one of {names}", f"必须是 {names} 之一")
    channel, address = _read_address(channel, address, checks)
    checks.raise_if_any()
    assert channel is not None
    assert reason is not None
    return channel, address, reason


def read_address(channel: Channel | None, address: str) -> tuple[Channel, str]:
    """Channel, and address in normal form. Raises Invalid naming each wrong field."""
    checks = Checks()
    channel, address = _read_address(channel, address, checks)
    checks.raise_if_any()
    assert channel is not None
    return channel, address


def normal(addresses: Iterable[str]) -> list[str]:
    """E-mail addresses in normal form, each once, in order; without what is none, where nothing arrives."""
    found = set()
    for address in addresses:
        with suppress(ValueError):
            found.add(normalize_email(address))
    return sorted(found)


def check_reason(reason: str) -> None:
    """Why something is taken off the list. Raises Invalid for what is empty, endless or personal."""
    checks = Checks()
    if not 1 <= len(reason.strip()) <= _LONGEST_REASON:
        checks.refuse("reason", "TEXT_LENGTH", "must have 1 to 200 characters", "必须有 1 到 200 个字符")
    check_impersonal("reason", reason, checks)
    checks.raise_if_any()


def _read_address(channel: Channel | None, address: str, checks: Checks) -> tuple[Channel | None, str]:
    if channel is None:
        checks.refuse("channel", "REQUIRED", "must name a channel", "必须指明渠道")
    try:
        return channel, normalize_email(address)
    except ValueError:
        checks.refuse("address", "CONTACT_FORMAT", "must be an e-mail address", "不是有效的电子邮件地址")
        return channel, ""
