"""How names agree."""

from __future__ import annotations

import pytest

from customer.domain.matching.names import name_levels, read_name


def levels(one: str, other: str) -> tuple[str, ...]:
    found = name_levels(read_name(one), read_name(other))
    assert found == name_levels(read_name(other), read_name(one))
    return found


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("王小明", "王小明", "name exact long"),
        ("张伟", "張偉", "name exact short"),
        ("王小明", "王　小　明", "name exact long"),
        ("欧阳修文", "修文歐陽", "name swapped long"),
        ("王伟", "伟王", "name swapped short"),
        ("王小明", "王晓铭", "name sounds long"),
        ("王小明", "Wang Xiaoming", "name sounds long"),
        ("王小明", "XIAO-MING WANG", "name sounds long"),
        ("王小明", "wáng xiǎo míng", "name sounds long"),
        ("王小明", "Wang, Xiao Ming", "name sounds long"),
        ("王小明", "ｗａｎｇｘｉａｏｍｉｎｇ", "name sounds long"),
        ("王小明", "xiaomingwang", "name sounds long"),
        ("吕布", "Lv Bu", "name sounds short"),
        ("吕布", "Lü Bu", "name sounds short"),
        ("吕布", "Lyu Bu", "name sounds short"),
        ("单雄信", "Shan Xiongxin", "name sounds long"),
        ("张林", "章玲", "name sounds nearly short"),
        ("曾志强", "Zeng Ziqiang", "name sounds nearly long"),
        ("王小明", "王明", "name shortened"),
        ("欧阳修文", "欧阳文", "name shortened"),
        ("王小明", "Wang Ming", "name shortened"),
        ("刘庆", "刘清严", "name shortened nearly"),
        ("李小明", "季小明", "given exact long"),
        ("李明", "季明", "given exact short"),
        ("王小明", "王小红", "given one character"),
        ("王小明", "Wang Xiaohong", "given one character"),
        ("王伟", "王强", "name disagree"),
        ("王小明", "李大海", "name disagree"),
        ("王小明", "Kayla Harrington", "name disagree"),
        ("欧阳修文", "王小", "name disagree"),
    ],
)
def test_chinese_names_agree_on_one_level(one: str, other: str, level: str) -> None:
    assert levels(one, other) == (level,)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Kayla Harrington", "Harrington, Kayla", ("given exact", "surname exact")),
        ("Kayla Harrington", "Harrington Kayla", ("given exact", "surname exact")),
        ("Kayla Harrington", "Kaela Harington", ("given near", "surname near")),
        ("Michael Nguyen", "Caresse Nguyen", ("given disagree", "surname exact")),
        ("Stephanie Rumbal", "Rumball", ("given missing", "surname near")),
        ("José Müller", "Jose Muller", ("given exact", "surname exact")),
    ],
)
def test_other_names_agree_on_given_name_and_surname(one: str, other: str, expected: tuple[str, ...]) -> None:
    assert set(levels(one, other)) == set(expected)


@pytest.mark.parametrize("nothing", ["", " ", "—", "。"])
def test_no_name_says_nothing(nothing: str) -> None:
    assert levels(nothing, "王小明") == ()
    assert levels(nothing, nothing) == ()


def test_a_name_may_come_in_two_parts() -> None:
    assert read_name("", "小明", "王") == read_name("王小明")
    assert read_name("", "Kayla", "Harrington") == read_name("Kayla Harrington")
