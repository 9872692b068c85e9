"""Logins and passwords: what is accepted."""

from __future__ import annotations

import pytest

from gateway.domain.users import check_login, check_password, normalize_login
from kernel.pure.errors import Checks


def _rules(check: object, text: str) -> list[str]:
    checks = Checks()
    check(text, checks)  # type: ignore[operator]
    return [violation.rule for violation in checks.found]


@pytest.mark.parametrize("login", ["li.na", "wang_fang", "erp-1", "zhang.wei.2", "ab", "a" * 64])
def test_a_login_is_lower_case_words(login: str) -> None:
    assert _rules(check_login, login) == []


@pytest.mark.parametrize(
    "login",
    [
        "",
        "a",
        "Li.Na",
        "li@example.com",
        "13812345678",
        "li..na",
        ".li",
        "li.",
        "li na",
        "李娜",
        "a" * 65,
        "li\n",
    ],
)
def test_a_login_is_no_address_number_or_name(login: str) -> None:
    assert _rules(check_login, login) == ["LOGIN_FORMAT"]


def test_a_person_may_type_the_login_in_any_case() -> None:
    assert normalize_login("  Li.Na ") == "li.na"


@pytest.mark.parametrize(
    ("length", "rules"), [(11, ["PASSWORD_LENGTH"]), (12, []), (256, []), (257, ["PASSWORD_LENGTH"])]
)
def test_a_password_has_12_characters_at_least(length: int, rules: list[str]) -> None:
    assert _rules(check_password, "长" * length) == rules
