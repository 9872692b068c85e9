"""What must be true of a customer's fields."""

from datetime import date
from typing import Any

import pytest

from customer.domain.customer import Company, ExternalId, Person, Profile, checked
from kernel.pure.errors import Checks
from kernel.pure.ids import new_id

TODAY = date(2026, 6, 30)


def broken(profile: Profile) -> list[tuple[str, str]]:
    """The (field, rule) pairs that a profile breaks."""
    checks = Checks()
    checked(profile, checks, "customer", TODAY)
    return [(violation.field, violation.rule) for violation in checks.found]


def person(**fields: Any) -> Profile:
    return Profile(Person(**{"full_name": "王小明", **fields}))


def person_with(**fields: Any) -> Profile:
    return Profile(Person("王小明"), **fields)


def test_phones_and_emails_are_stored_in_normal_form() -> None:
    given = person(phones=("138 1234 5678", "+86-13812345678"), emails=("Li.Na@Example.COM",))
    profile = checked(given, Checks(), "customer", TODAY)
    assert profile.details == Person("王小明", ("+8613812345678",), ("li.na@example.com",))


def test_all_wrong_fields_are_named_at_once() -> None:
    profile = person(full_name=" ", phones=("12",), emails=("no",), birth_date="1.1.1990")
    assert broken(profile) == [
        ("customer.person.full_name", "REQUIRED"),
        ("customer.person.phones[0]", "PHONE_FORMAT"),
        ("customer.person.emails[0]", "EMAIL_FORMAT"),
        ("customer.person.birth_date", "DATE_FORMAT"),
    ]


@pytest.mark.parametrize("number", ["12", "1234 5678", "中1234", "1" * 31, "12.345"])
def test_an_identity_number_has_4_to_30_letters_digits_and_hyphens(number: str) -> None:
    assert ("customer.person.identity_number", "IDENTITY_NUMBER") in broken(person(identity_number=number))


def test_identity_numbers_are_stored_trimmed() -> None:
    profile = checked(person(identity_number=" 12345-X "), Checks(), "customer", TODAY)
    assert profile.details == Person("王小明", identity_number="12345-X")


def test_what_was_shown_masked_is_not_taken_for_a_value() -> None:
    masked = person(
        phones=("138****5678",), emails=("l***@example.com",), street_address="***", identity_number="***"
    )
    assert broken(masked) == [
        ("customer.person.phones[0]", "MASKED"),
        ("customer.person.emails[0]", "MASKED"),
        ("customer.person.street_address", "MASKED"),
        ("customer.person.identity_number", "IDENTITY_NUMBER"),
    ]


def test_collaborators_are_at_most_20_and_stand_once() -> None:
    ids = tuple(new_id() for _ in range(21))
    assert broken(person_with(collaborator_ids=ids)) == [("customer.collaborator_ids", "TOO_MANY")]
    profile = checked(person_with(collaborator_ids=ids[:3] * 2), Checks(), "customer", TODAY)
    assert profile.collaborator_ids == ids[:3]


def test_nobody_is_born_tomorrow() -> None:
    assert broken(person(birth_date="2026-07-01")) == [("customer.person.birth_date", "BIRTH_DATE_RANGE")]


def test_a_company_needs_a_name() -> None:
    assert broken(Profile(Company(name=""))) == [("customer.company.name", "REQUIRED")]


def test_an_external_id_needs_source_and_value() -> None:
    profile = Profile(Person("王小明"), external_ids=(ExternalId("erp", ""),))
    assert broken(profile) == [("customer.external_ids[0].value", "REQUIRED")]


def test_control_characters_are_refused() -> None:
    assert broken(person(street_address="a\x00b")) == [
        ("customer.person.street_address", "CONTROL_CHARACTER")
    ]


def test_a_violation_never_repeats_the_value() -> None:
    checks = Checks()
    checked(person(phones=("my secret",)), checks, "customer", TODAY)
    assert "secret" not in str(checks.found)


@pytest.mark.parametrize("name", ["person", "company"])
def test_a_document_gives_back_what_it_was_made_of(name: str) -> None:
    details = {
        "person": Person("王小明", ("+8613812345678",), ("a@b.cn",), "中山路 1 号", "1990-01-01"),
        "company": Company("某某公司", "91310000MA1FL0XX0X", ("+862112345678",), size="small"),
    }[name]
    assert type(details).of(details.document()) == details
