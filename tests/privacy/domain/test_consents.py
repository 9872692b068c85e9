"""The ledger says the same whatever the order in which it was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.errors import Checks
from privacy.domain.consents import (
    Channel,
    Proof,
    Said,
    State,
    Via,
    check_said,
    is_valid,
    last_word,
    network_of,
)

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
GRANT = Said(
    id=UUID(int=1),
    subject_id=UUID(int=7),
    purpose_id="marketing",
    channel=Channel.EMAIL,
    state=State.GRANTED,
    effective_at=NOON,
    via=Via.WEB,
    proof=Proof(form="register/7"),
    notice_id=UUID(int=9),
    major_version=1,
)
# Few instants, so that ties are common.
events = st.builds(
    lambda number, state, second: replace(
        GRANT, id=UUID(int=number), state=state, effective_at=NOON + timedelta(seconds=second)
    ),
    st.integers(1, 2**100),
    st.sampled_from(list(State)),
    st.integers(0, 3),
)


@given(st.lists(events, min_size=1, max_size=12, unique_by=lambda one: one.id), st.randoms())
def test_any_order_of_replay_gives_the_same_last_word(said: list[Said], chance: st.randoms) -> None:  # type: ignore[valid-type]
    """One by one, in any order, or all at once."""
    wanted = last_word(said)
    shuffled = list(said)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    held: Said | None = None
    for one in shuffled:
        held = last_word([one] if held is None else [held, one])
    assert held == wanted


@given(st.lists(events, min_size=1, max_size=12, unique_by=lambda one: one.id))
def test_taking_back_beats_giving_at_the_same_instant(said: list[Said]) -> None:
    latest = max(one.effective_at for one in said)
    withdrawn = any(one.state is State.WITHDRAWN for one in said if one.effective_at == latest)
    decisive = last_word(said)
    assert decisive is not None
    assert (decisive.state is State.WITHDRAWN) == withdrawn


def test_nobody_said_anything() -> None:
    assert last_word([]) is None
    assert not is_valid(None, 0, NOON)


@pytest.mark.parametrize(
    ("said", "major_version", "valid"),
    [
        (GRANT, 1, True),
        (GRANT, 2, False),
        (replace(GRANT, state=State.REFUSED), 1, False),
        (replace(GRANT, expires_at=NOON + timedelta(seconds=1)), 1, True),
        (replace(GRANT, expires_at=NOON), 1, False),
    ],
    ids=["grant", "terms changed", "refused", "not yet expired", "expired"],
)
def test_a_grant_holds_until_it_ends_or_the_terms_change(said: Said, major_version: int, valid: bool) -> None:
    assert is_valid(said, major_version, NOON) is valid


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        (GRANT, []),
        (replace(GRANT, proof=Proof(network="203.0.113.0/24")), ["PROOF_REQUIRED"]),
        (replace(GRANT, notice_id=None), ["REQUIRED"]),
        (replace(GRANT, effective_at=NOON + timedelta(hours=1)), ["FUTURE"]),
        (replace(GRANT, expires_at=NOON - timedelta(1)), ["PERIOD"]),
        (replace(GRANT, state=State.WITHDRAWN, proof=Proof(), notice_id=None), []),
        (replace(GRANT, state=State.REFUSED, expires_at=NOON + timedelta(1)), ["PERIOD"]),
        (replace(GRANT, state=State.EXPIRED), ["STATE"]),
        (replace(GRANT, proof=Proof(scan_sha256="ABC")), ["SHA256"]),
    ],
)
def test_giving_needs_a_proof_and_a_notice_and_taking_back_needs_nothing(
    said: Said, rules: list[str]
) -> None:
    checks = Checks()
    check_said(said, NOON, checks)
    assert [violation.rule for violation in checks.found] == rules


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("203.0.113.77/32", "203.0.113.0/24"),
        ("", ""),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str, network: str) -> None:
    checks = Checks()
    assert network_of(address, checks) == network
    assert not checks.found
