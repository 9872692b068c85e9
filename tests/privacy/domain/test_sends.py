"""Whether a message might go out, asked of the ledger alone, after the fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kernel.pure.ids import new_id
from privacy.domain.consents import Channel, Said, State, Via
from privacy.domain.purposes import Basis
from privacy.domain.sends import Recorded, Send, Terms, fault

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PERSON, GRANT = new_id(), new_id()
SEND = Send(new_id(), new_id(), PERSON, "marketing", Channel.EMAIL, GRANT, NOON)
TERMS = Terms(Basis.CONSENT, [(1, NOON - 9 * HOUR)])


def said(state: State, before: timedelta, recorded: timedelta | None = None, **changed: Any) -> Recorded:
    """Said so long before the message went out, and recorded then or at another time."""
    one = Said(new_id(), PERSON, "marketing", Channel.EMAIL, state, NOON - before, Via.WEB, major_version=1)
    return Recorded(replace(one, **changed), NOON - (before if recorded is None else recorded))


GRANTED = said(State.GRANTED, 2 * HOUR, id=GRANT)


def test_a_message_that_rests_on_a_living_consent_is_right() -> None:
    assert fault(SEND, TERMS, [GRANTED]) == ""
    everywhere = said(State.GRANTED, 2 * HOUR, id=GRANT, channel=Channel.ALL)
    assert fault(SEND, TERMS, [everywhere]) == ""


@pytest.mark.parametrize(
    "told",
    [
        [],
        [said(State.GRANTED, HOUR)],
        [said(State.REFUSED, HOUR, id=GRANT)],
        [said(State.GRANTED, -HOUR, id=GRANT)],
    ],
    ids=["nothing", "another", "a refusal", "later"],
)
def test_without_the_consent_it_names_a_message_might_not_go_out(told: list[Recorded]) -> None:
    assert fault(SEND, TERMS, told) == "NO_CONSENT"


@pytest.mark.parametrize("consent_id", [None, new_id()])
def test_a_message_names_its_consent(consent_id: UUID | None) -> None:
    assert fault(replace(SEND, consent_id=consent_id), TERMS, [GRANTED]) == "NO_CONSENT"


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.REFUSED, State.EXPIRED])
def test_what_took_it_back_before_counts(state: State) -> None:
    assert fault(SEND, TERMS, [GRANTED, said(state, HOUR)]) == state.name
    assert fault(SEND, TERMS, [GRANTED, said(state, 3 * HOUR)]) == ""
    # Said of all channels, and of two at one instant the one that takes back.
    assert fault(SEND, TERMS, [GRANTED, said(state, 2 * HOUR, channel=Channel.ALL)]) == state.name


@pytest.mark.parametrize(("seconds", "why"), [(0, ""), (59, ""), (66, "WITHDRAWN")])
def test_within_the_life_of_a_permit_a_withdrawal_may_come_too_late(seconds: int, why: str) -> None:
    assert fault(SEND, TERMS, [GRANTED, said(State.WITHDRAWN, seconds * SECOND)]) == why


def test_what_was_recorded_afterwards_was_not_known() -> None:
    told_late = said(State.WITHDRAWN, HOUR, recorded=-HOUR)
    assert fault(SEND, TERMS, [GRANTED, told_late]) == ""


def test_who_consents_again_is_written_to_again() -> None:
    again = said(State.GRANTED, HOUR / 2)
    told = [GRANTED, said(State.WITHDRAWN, HOUR), again]
    assert fault(SEND, TERMS, told) == "WITHDRAWN"
    assert fault(replace(SEND, consent_id=again.said.id), TERMS, told) == ""


@pytest.mark.parametrize(("left", "why"), [(-2 * HOUR, "EXPIRED"), (HOUR, "")])
def test_a_consent_lives_until_it_expires(left: timedelta, why: str) -> None:
    assert fault(SEND, TERMS, [said(State.GRANTED, 3 * HOUR, id=GRANT, expires_at=NOON + left)]) == why


@pytest.mark.parametrize(("before", "why"), [(HOUR, "TERMS_CHANGED"), (SECOND, ""), (-HOUR, "")])
def test_a_major_notice_asks_everybody_anew(before: timedelta, why: str) -> None:
    terms = Terms(Basis.CONSENT, [*TERMS.notices, (2, NOON - before)])
    assert fault(SEND, terms, [GRANTED]) == why


def test_where_no_consent_is_needed_an_objection_counts_until_it_is_taken_back() -> None:
    send, terms = replace(SEND, consent_id=None), Terms(Basis.CONTRACT, [])
    objection = said(State.WITHDRAWN, HOUR)
    assert fault(send, terms, []) == ""
    assert fault(send, terms, [objection]) == "WITHDRAWN"
    assert fault(send, terms, [objection, said(State.GRANTED, HOUR / 2)]) == ""
    assert fault(send, terms, [GRANTED, said(State.EXPIRED, HOUR)]) == ""


def test_what_nobody_declared_as_a_purpose_is_none() -> None:
    assert fault(SEND, None, [GRANTED]) == "NO_PURPOSE"
