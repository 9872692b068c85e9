"""What those may see who may not see the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.masking import mask_all, mask_email, mask_phone


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613812345678", "138****5678"),
        ("+861065529988", "+86****9988"),
        ("+14155552671", "+14****2671"),
        ("+85251234567", "+85****4567"),
        ("+6591234", "****34"),
        ("", ""),
    ],
)
def test_a_masked_phone_shows_its_ends(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("li@example.com", "l***@example.com"),
        ("l@example.com", "***@example.com"),
        ("李明@example.com", "李***@example.com"),
        ("not an address", "***"),
        ("", ""),
    ],
)
def test_a_masked_address_shows_its_first_letter_and_domain(email: str, masked: str) -> None:
    assert mask_email(email) == masked


def test_a_wholly_masked_text_does_not_tell_its_length() -> None:
    assert mask_all("中山路 1 号") == mask_all("x") == "***"
    assert mask_all("") == ""


@given(st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"))
def test_a_masked_phone_hides_at_least_four_digits(phone: str) -> None:
    shown = sum(letter.isdigit() for letter in mask_phone(phone))
    assert len(phone) - 1 - shown >= 4
