"""Passwords are stored as Argon2id and nothing else."""

from __future__ import annotations

import pytest

from gateway.store.passwords import Argon2Passwords
from tests.gateway.conftest import PASSWORD, quick_passwords


@pytest.fixture(scope="module")
def passwords() -> Argon2Passwords:
    made: Argon2Passwords = quick_passwords()
    return made


def test_a_password_matches_what_was_made_of_it(passwords: Argon2Passwords) -> None:
    stored = passwords.hash(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, PASSWORD + " ")


def test_the_same_password_is_stored_differently_each_time(passwords: Argon2Passwords) -> None:
    assert passwords.hash(PASSWORD) != passwords.hash(PASSWORD)


@pytest.mark.parametrize("stored", [None, "", "plain text"])
def test_nothing_matches_what_is_no_hash(passwords: Argon2Passwords, stored: str | None) -> None:
    assert not passwords.matches(stored, PASSWORD)


def test_nobody_has_the_password_of_nobody(passwords: Argon2Passwords) -> None:
    assert not passwords.matches(None, "nobody has this password")


def test_the_real_parameters_are_those_of_rfc_9106() -> None:
    assert "$m=65536,t=3,p=4$" in Argon2Passwords().hash(PASSWORD)
