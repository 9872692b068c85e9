"""Which addresses are not written to, and when somebody has changed their mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kernel.pure.errors import Invalid
from kernel.pure.ids import new_id
from marketing.domain.campaign import Channel
from marketing.domain.suppression import (
    BY_HAND,
    Reason,
    Suppression,
    check_reason,
    consented_at,
    forbidden,
    normal,
    read_address,
    read_wish,
)

NOW = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
LISTED = Suppression(new_id(), Channel.EMAIL, "", Reason.COMPLAINT, NOW, "u1")
UNSUBSCRIBED = replace(LISTED, purpose="newsletter", reason=Reason.UNSUBSCRIBED)


def consent(at: datetime) -> str:
    """The id of an event of the ledger that was recorded then."""
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62))


def test_an_address_on_the_list_is_not_written_to_whatever_was_consented_to() -> None:
    later = consent(NOW + timedelta(days=1))
    for reason in set(Reason) - {Reason.UNSUBSCRIBED}:
        assert forbidden([replace(LISTED, reason=reason)], "newsletter", later)
    assert not forbidden([], "newsletter", later)


def test_who_unsubscribed_is_written_to_for_other_purposes() -> None:
    assert forbidden([UNSUBSCRIBED], "newsletter", "")
    assert not forbidden([UNSUBSCRIBED], "invoices", "")
    assert forbidden([UNSUBSCRIBED, LISTED], "invoices", "")


@pytest.mark.parametrize(("hours", "stands"), [(-1, True), (0, True), (1, False)])
def test_who_consents_after_unsubscribing_wants_it_again(hours: int, stands: bool) -> None:
    assert forbidden([UNSUBSCRIBED], "newsletter", consent(NOW + timedelta(hours=hours))) is stands


def test_an_id_that_tells_no_instant_outweighs_nothing() -> None:
    assert consented_at(consent(NOW)) == NOW
    for strange in ("", "consent 1", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"):
        assert consented_at(strange) is None
        assert forbidden([UNSUBSCRIBED], "newsletter", strange)


def test_what_is_put_on_the_list_by_hand_has_a_channel_an_address_and_a_reason() -> None:
    for reason in BY_HAND:
        assert read_wish(Channel.EMAIL, " Wang@Example.com ", reason)[1] == "wang@example.com"
    assert read_address(Channel.EMAIL, "WANG@example.com") == (Channel.EMAIL, "wang@example.com")
    for reason in (None, Reason.ERASED, Reason.UNSUBSCRIBED):
        with pytest.raises(Invalid) as refused:
            read_wish(None, "wang", reason)
        fields = [violation.field for violation in refused.value.violations]
        assert fields == ["reason", "channel", "address"]


def test_addresses_of_the_erased_that_are_none_are_passed_over() -> None:
    assert normal(["Wang@example.com", "wang@example.com", "wang", "a@example.com"]) == [
        "a@example.com",
        "wang@example.com",
    ]


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "asked by wang@example.com"])
def test_a_reason_is_short_and_names_nobody(reason: str) -> None:
    check_reason("he wrote to us")
    with pytest.raises(Invalid):
        check_reason(reason)
