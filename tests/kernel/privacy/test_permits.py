"""A permit opens one door, for a minute, and nobody can make one but its issuer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure import permits
from kernel.pure.permits import Permit, PermitRefused, issue, verify
from kernel.pure.signing import Signer

NOON = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
SIGNER = Signer(bytes(range(32)), permits.PURPOSE)
KEYS = {SIGNER.key_id: SIGNER.public}
PERMIT = Permit("subject", "marketing", "email", "campaign", "consent", NOON + timedelta(seconds=60))


def test_what_was_issued_is_what_is_read() -> None:
    assert verify(issue(SIGNER, PERMIT), KEYS, NOON) == PERMIT


def test_it_ends_after_its_minute() -> None:
    token = issue(SIGNER, PERMIT)
    assert verify(token, KEYS, NOON + timedelta(seconds=59)) == PERMIT
    with pytest.raises(PermitRefused):
        verify(token, KEYS, NOON + timedelta(seconds=60))


def test_after_a_rotation_both_keys_are_believed() -> None:
    newer = Signer(bytes(32), permits.PURPOSE)
    keys = {**KEYS, newer.key_id: newer.public}
    assert verify(issue(newer, PERMIT), keys, NOON) == verify(issue(SIGNER, PERMIT), keys, NOON) == PERMIT


@pytest.mark.parametrize(
    "signer",
    [Signer(bytes(32), permits.PURPOSE), Signer(bytes(range(32)), "crm-audit-checkpoint")],
    ids=["another key", "another purpose"],
)
def test_no_one_else_can_sign_it(signer: Signer) -> None:
    forged = replace(PERMIT, subject_id="somebody else")
    with pytest.raises(PermitRefused):
        verify(issue(signer, forged), {SIGNER.key_id: SIGNER.public}, NOON)


@given(st.data())
def test_no_changed_token_is_read(data: st.DataObject) -> None:
    token = issue(SIGNER, PERMIT)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("Aa0_-.=é"))
    changed = token[:at] + other + token[at + 1 :]
    # The last character of the signature holds spare bits that say nothing.
    if changed != token and at != len(token) - 1:
        with pytest.raises(PermitRefused):
            verify(changed, KEYS, NOON)


@given(st.text())
def test_any_text_is_refused_and_never_a_fault(text: str) -> None:
    with pytest.raises(PermitRefused):
        verify(text, KEYS, NOON)
