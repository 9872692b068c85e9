"""The file that the tour imports, and the judgement on what was found in it."""

from __future__ import annotations

import csv
import io

import pytest

from crm_cli.tour import febrl, finding, merging
from crm_cli.tour.febrl import Row
from kernel.pure.contact import normalize_email, normalize_phone

ROWS = febrl.read()
PEOPLE = sorted({row.whose for row in ROWS})


def _records(*groups: str) -> list[list[str]]:
    return [group.split() for group in groups]


def test_half_of_the_people_have_contacts_and_always_the_same_ones() -> None:
    reachable = {row.whose for row in ROWS if row.phones or row.email}
    assert (len(PEOPLE), len(reachable)) == (500, 250)
    assert febrl.read() == ROWS


def test_contacts_are_real_notations_and_originals_share_them_partly_with_duplicates() -> None:
    phones = {row.number: {normalize_phone(phone) for phone in row.phones} for row in ROWS}
    assert all(normalize_email(row.email) for row in ROWS if row.email)
    pairs = [(f"rec-{person}-org", f"rec-{person}-dup-0") for person in PEOPLE]
    told = [(phones[one], phones[other]) for one, other in pairs]
    assert sum(bool(one & other) for one, other in told) == 100
    assert sum(bool(one and other and not one & other) for one, other in told) == 50


def test_neighbours_share_the_phone_of_their_house() -> None:
    homes: dict[str, set[str]] = {}
    for row in ROWS:
        for phone in row.phones:
            homes.setdefault(febrl.e164(phone), set()).add(row.whose)
    assert sum(len(people) == 2 for people in homes.values()) == 25


def test_a_phone_is_told_in_normal_form_as_the_archive_tells_it() -> None:
    for row in ROWS:
        assert [febrl.e164(phone) for phone in row.phones] == [normalize_phone(p) for p in row.phones]


def test_the_export_holds_every_record_and_a_column_without_meaning() -> None:
    text = febrl.as_export(ROWS, "remark").decode(febrl.ENCODING)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == [*febrl.COLUMNS, "remark"]
    assert [row[0] for row in rows] == [row.number for row in ROWS]
    assert {len(row) for row in rows} == {len(header)}


def test_three_days_of_birth_are_in_no_calendar_until_they_are_corrected() -> None:
    wrong = [row.number for row in ROWS if not febrl.has_real_birthday(row)]
    assert wrong == ["rec-444-dup-0", "rec-149-dup-0", "rec-465-dup-0"]
    assert all(febrl.has_real_birthday(febrl.corrected(row)) for row in ROWS)
    assert [row for row in ROWS if febrl.has_real_birthday(row)] == [
        febrl.corrected(row) for row in ROWS if row.number not in wrong
    ]


def test_the_truth_is_five_hundred_pairs() -> None:
    assert len(febrl.true_pairs(row.number for row in ROWS)) == febrl.TRUE_PAIRS


def test_a_judgement_tells_what_was_found_wrong_and_what_was_not_found() -> None:
    verdict = febrl.judge(
        _records("rec-1-org rec-1-dup-0", "rec-2-org rec-3-org", "rec-2-dup-0", "rec-3-dup-0")
    )
    assert (verdict.precision, verdict.recall) == (0.5, pytest.approx(1 / 3))


def test_nothing_found_is_no_precision() -> None:
    verdict = febrl.judge(_records("rec-1-org", "rec-1-dup-0"))
    assert (verdict.precision, verdict.recall) == (0, 0)


def test_the_merge_that_is_taken_back_has_a_phone_on_either_side() -> None:
    groups = [[f"rec-{person}-org", f"rec-{person}-dup-0"] for person in PEOPLE]
    one, other = merging.sample(ROWS, groups)
    assert one.whose == other.whose
    assert one.phones
    assert other.phones
    assert not {febrl.e164(p) for p in one.phones} & {febrl.e164(p) for p in other.phones}


def test_without_a_merge_there_is_none_to_take_back() -> None:
    with pytest.raises(LookupError):
        merging.sample(ROWS, [[row.number] for row in ROWS])


def test_a_record_without_a_name_part_has_no_blank_in_its_name() -> None:
    cells = {"given_name": "", "surname": "waller", "date_of_birth": ""}
    assert Row("rec-1-org", cells).full_name == "waller"


def test_questions_expect_only_people_who_are_recorded() -> None:
    recorded = {*finding.PEOPLE, finding.COMPANY}
    assert all(expected <= recorded for _, _, expected in finding.questions())
