"""Made-up people."""

from __future__ import annotations

import re
from itertools import islice

import phonenumbers
from email_validator import validate_email

from crm_cli.sample import company
from crm_cli.tour import feed
from crm_cli.tour.people import make_up

PEOPLE = feed.people(2357)


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    assert list(islice(make_up("a"), 50)) == list(islice(make_up("a"), 50))
    assert list(islice(make_up("a"), 50)) != list(islice(make_up("b"), 50))


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    assert feed.people(10) == PEOPLE[:10]


def test_phones_are_mainland_mobile_numbers_and_nobody_shares_one() -> None:
    assert len({person.phone for person in PEOPLE}) == 2357
    for person in PEOPLE:
        number = phonenumbers.parse(person.phone, "CN")
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def test_addresses_are_valid_mail_nobody_ever_gets_and_nobody_shares_one() -> None:
    assert len({person.email for person in PEOPLE}) == 2357
    for person in PEOPLE[:300]:
        assert validate_email(person.email, check_deliverability=False).normalized == person.email
        assert person.email.rpartition("@")[2] in ("example.com", "example.net", "example.org")


def test_names_are_chinese_and_hardly_repeat() -> None:
    names = [person.full_name for person in PEOPLE]
    assert all(re.fullmatch("[\u4e00-\u9fff]{2,4}", name) for name in names)
    assert len(set(names)) > 2000


def test_no_name_occurs_in_what_the_sample_company_stores_in_clear() -> None:
    clear = [name for name, _ in company.TEAMS]
    clear += [
        f"{one.name} {one.industry} {one.place.province} {one.place.city}" for one in company.companies()
    ]
    clear += [f"{name} {category}" for _, name, category, _ in company.PRODUCTS]
    clear += company.CHANNELS
    names = {person.full_name for person in PEOPLE} | {one.who.full_name for one in company.people()}
    assert not [name for name in names if any(name in text for text in clear)]
