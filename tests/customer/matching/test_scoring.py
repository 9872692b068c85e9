"""Who is the same, who may be, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customer.domain.matching import Subject, blocking_keys, clusters, contradict, score, traits
from customer.domain.matching.keys import soundex

WANG = Subject(
    full_name="王小明",
    phones=("+8613812345678",),
    emails=("wangxm@example.com",),
    birth_date="1990-03-05",
    address=("科技路12号3栋501室",),
    city="深圳市",
    province="广东省",
)
MICHAEL = Subject(
    full_name="Michael Nguyen",
    phones=("+61412345678",),
    birth_date="1961-10-04",
    address=("6 Roseworthy Crescent, Underbank",),
    city="colac",
    postcode="2198",
    province="qld",
)


def decision(one: Subject, other: Subject) -> str:
    forth, back = score(traits(one), traits(other)), score(traits(other), traits(one))
    assert (forth.score, forth.decision) == (back.score, back.decision)
    return forth.decision


def share_a_key(one: Subject, other: Subject) -> bool:
    return not set(blocking_keys(traits(one))).isdisjoint(blocking_keys(traits(other)))


@pytest.mark.parametrize(
    "other",
    [
        replace(WANG, full_name="小明王"),
        replace(WANG, full_name="Wang Xiaoming", emails=()),
        replace(WANG, full_name="王晓明", birth_date="1990-05-03"),
        replace(WANG, phones=("+8613900000000",), emails=()),
        replace(WANG, phones=(), emails=(), address=("科技路十二号三幢501",)),
        Subject(full_name="王小明", phones=WANG.phones),
        Subject(full_name="王小明", birth_date="1990-03-05", city="深圳市"),
        replace(WANG, full_name="王小朋", address=()),
    ],
)
def test_a_person_recorded_otherwise_is_the_same(other: Subject) -> None:
    assert decision(WANG, other) == "same"
    assert share_a_key(WANG, other)


@pytest.mark.parametrize("name", ["王小红", "王笑", "王大力", "王丽", "Wang Xiaohong", "李秀英"])
def test_twins_and_families_are_not_the_same(name: str) -> None:
    twin = replace(WANG, full_name=name, emails=())
    assert decision(WANG, twin) != "same"
    assert decision(WANG, replace(twin, birth_date="")) != "same"
    assert decision(replace(WANG, emails=()), replace(twin, birth_date="1965-01-01")) != "same"
    assert contradict(traits(WANG), traits(twin))


def test_twins_elsewhere_who_share_a_phone_are_not_the_same_either() -> None:
    assert decision(MICHAEL, replace(MICHAEL, full_name="Caresse Nguyen")) == "possible"


def test_man_and_wife_of_one_given_name_are_for_a_person_to_decide() -> None:
    wife = replace(WANG, full_name="李小明", emails=(), birth_date="")
    assert decision(WANG, wife) == "possible"


def test_a_common_name_in_the_same_city_is_no_proof() -> None:
    one = Subject(full_name="王小明", city="深圳市", province="广东省")
    assert decision(one, one) == "possible"
    assert not share_a_key(one, one)
    latin = Subject(full_name="Michael Nguyen", city="colac", postcode="2198", province="qld")
    assert decision(latin, latin) == "possible"


def test_colleagues_at_one_switchboard_are_not_the_same() -> None:
    office = Subject(phones=("+8675526001000",), address=("科技路12号",), city="深圳市")
    assert decision(replace(office, full_name="王小明"), replace(office, full_name="李丽")) == "different"
    assert decision(replace(office, full_name="王小明"), replace(office, full_name="王小红")) != "same"


def test_reasons_name_each_field_known_of_both_and_add_up() -> None:
    match = score(
        traits(WANG), traits(replace(WANG, full_name="Wang Xiaoming", emails=(), postcode="518000"))
    )
    assert [(reason.field, reason.level) for reason in match.reasons] == [
        ("name", "sounds long"), ("phone", "exact"), ("birth_date", "exact"), ("address", "exact"),
        ("city", "exact"), ("province", "exact"),
    ]  # fmt: skip
    assert match.score == sum(reason.weight for reason in match.reasons)


def test_nobody_has_no_keys_and_no_score() -> None:
    nobody = traits(Subject())
    assert blocking_keys(nobody) == ()
    assert score(nobody, traits(WANG)) == (0.0, "different", ())


def test_no_key_is_a_birth_date_a_name_or_a_city_alone() -> None:
    for person in (WANG, MICHAEL):
        for known in ("birth_date", "full_name", "city", "postcode", "province"):
            only = Subject(**{known: getattr(person, known)})
            assert blocking_keys(traits(only)) == (), known


def test_keys_of_a_person_are_about_eight_and_say_their_kind() -> None:
    keys = blocking_keys(traits(WANG))
    assert len(keys) == 10
    assert "phone:+8613812345678" in keys
    assert all(":" in key for key in keys)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("robert", "r163"),
        ("rupert", "r163"),
        ("ashcraft", "a261"),
        ("tymczak", "t522"),
        ("lee", "l"),
        ("", ""),
    ],
)
def test_soundex_is_the_classic_one(word: str, code: str) -> None:
    assert soundex(word) == code


texts = st.text(max_size=12) | st.sampled_from(["王小明", "Wang Xiaoming", "1", "12号", "，", "科技路12号"])
subjects = st.builds(
    Subject, full_name=texts, given_name=texts, surname=texts, birth_date=texts, id_number=texts,
    phones=st.tuples(texts), emails=st.tuples(texts), address=st.lists(texts, max_size=3).map(tuple),
    city=texts, postcode=texts, province=texts,
)  # fmt: skip


@example(Subject(given_name="0", surname="00"), Subject(full_name="0"))
@given(subjects, subjects)
def test_any_two_people_can_be_weighed_in_either_order(one: Subject, other: Subject) -> None:
    a, b = traits(one), traits(other)
    assert score(a, b).score == score(b, a).score
    assert score(a, b).decision == score(b, a).decision
    assert blocking_keys(a) == blocking_keys(traits(one))


def test_a_chain_of_resemblances_is_not_one_person() -> None:
    found = clusters(
        [("father", "typo", 20.0), ("typo", "son", 15.0)], lambda a, b: {a, b} == {"father", "son"}
    )
    assert found == [frozenset({"father", "typo"})]


def test_who_was_found_the_same_through_others_is_one_person() -> None:
    found = clusters(
        [("a", "b", 20.0), ("c", "d", 15.0), ("b", "c", 13.0), ("x", "y", 12.5)], lambda a, b: False
    )
    assert sorted(map(sorted, found)) == [["a", "b", "c", "d"], ["x", "y"]]
