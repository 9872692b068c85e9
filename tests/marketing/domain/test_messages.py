"""A marketing message is sent at most once, whatever happens (M-06; at most once, never twice)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.domain.campaign import Channel
from marketing.domain.frequency import FrequencyCap
from marketing.domain.messages import ENDED, Message, State

NOW = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
WAITING = Message(UUID(int=1), 1, UUID(int=2), UUID(int=3))
ATTEMPTED = WAITING.attempted("consent 7", b"hash", NOW)

STEPS = {
    "attempt": lambda message: message.attempted("consent", b"hash", NOW),
    "sent": lambda message: message.sent(NOW),
    "failed": lambda message: message.failed("MAIL_REFUSED"),
    "unknown": lambda message: message.unknown("PROCESS_DIED"),
    "back": Message.put_back,
    "skip": lambda message: message.skipped("NO_CONSENT"),
    "open": lambda message: message.opened(NOW),
    "click": lambda message: message.clicked(NOW),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=15))
def test_once_it_may_have_gone_out_it_is_never_attempted_again(steps: list[str]) -> None:
    message, gone = WAITING, False
    for step in steps:
        try:
            message = STEPS[step](message)
        except ValueError:
            continue
        assert not (gone and message.state in (State.WAITING, State.ATTEMPTED))
        gone = gone or message.state in (State.SENT, State.UNKNOWN)


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=15))
def test_what_has_ended_stays_as_it_ended(steps: list[str]) -> None:
    message = WAITING
    for step in steps:
        before = message
        try:
            message = STEPS[step](message)
        except ValueError:
            continue
        assert before.state not in ENDED or message.state is before.state


def test_it_remembers_the_consent_it_rested_on() -> None:
    assert ATTEMPTED.sent(NOW).consent_id == "consent 7"
    assert ATTEMPTED.put_back().consent_id == ""


def test_a_click_shows_that_it_was_opened() -> None:
    clicked = ATTEMPTED.sent(NOW).clicked(NOW)
    assert (clicked.opened_at, clicked.clicked_at) == (NOW, NOW)


def test_only_the_first_opening_counts() -> None:
    opened = ATTEMPTED.sent(NOW).opened(NOW)
    assert opened.opened(NOW + timedelta(days=1)) is opened


@pytest.mark.parametrize("state", sorted(ENDED, key=lambda state: state.value))
def test_an_ended_one_cannot_be_skipped(state: State) -> None:
    with pytest.raises(ValueError, match="skipped"):
        Message(UUID(int=1), 1, UUID(int=2), UUID(int=3), state).skipped("x")


CAP = FrequencyCap(Channel.EMAIL, messages=2, days=7)


def test_the_cap_counts_within_its_days_only() -> None:
    old, new = NOW - timedelta(days=7), NOW - timedelta(days=6, hours=23)
    assert CAP.allows([old, new], NOW)
    assert not CAP.allows([new, new], NOW)


@given(st.lists(st.integers(0, 100 * 24), max_size=60))
def test_who_asks_the_cap_first_never_writes_more_often_than_it_allows(hours: list[int]) -> None:
    attempts: list[datetime] = []
    for hour in sorted(hours):
        now = NOW + timedelta(hours=hour)
        if CAP.allows(attempts, now):
            attempts.append(now)
    for start in attempts:
        within = [one for one in attempts if start <= one < start + timedelta(days=CAP.days)]
        assert len(within) <= CAP.messages
