"""Errors speak two languages and never repeat what was given."""

from kernel.pure.errors import Checks, Invalid, PermissionDenied, StaleEtag, Violation


def test_an_error_has_a_sentence_in_both_languages() -> None:
    error = PermissionDenied(permission="a.b.c")
    assert error.message("en") == "You need the permission a.b.c."
    assert error.message("zh") == "需要权限 a.b.c。"


def test_a_violation_is_seen_from_the_message_that_holds_it() -> None:
    error = Invalid.of(Violation("phones[0]", "FORMAT", "en", "zh")).within("customers[3].person")
    assert [violation.field for violation in error.violations] == ["customers[3].person.phones[0]"]


def test_waiting_mends_a_conflict_but_no_wrong_field() -> None:
    assert StaleEtag().transient
    assert not Invalid.of(Violation("a", "B", "c", "d")).transient


def test_no_violation_is_no_error() -> None:
    Checks().raise_if_any()
