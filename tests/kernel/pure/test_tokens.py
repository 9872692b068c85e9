"""Which names a search finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.pure.text.folding import fold
from kernel.pure.text.pinyin import readings, split_syllables
from kernel.pure.text.tokens import query_tokens, search_tokens
from tests.support import people_words as words
from tests.support.people import population


def finds(query: str, name: str) -> bool:
    asked = query_tokens(query)
    return bool(asked) and asked <= search_tokens(name)


@pytest.mark.parametrize(
    "query",
    [
        "王",
        "王小",
        "王小明",
        "小明",
        "明",
        "wang",
        "wangxiao",
        "wangxiaoming",
        "wang xiao ming",
        "WANG xiaoming",
        "wáng",
        "xiaoming",
        "wxm",
        "wx",
        "xm",
        "w",
        "王 小明",
        "王xm",
        "ｗａｎｇ",
        "小 明",
    ],
)
def test_a_name_is_found_by_what_people_type(query: str) -> None:
    assert finds(query, "王小明")


@pytest.mark.parametrize(
    "query", ["李", "小王", "明小", "wangming", "wm", "li", "xiaowang", "王小明明", "", " -", "。"]
)
def test_a_name_is_not_found_by_another(query: str) -> None:
    assert not finds(query, "王小明")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("歐陽", "欧阳修"),
        ("欧阳", "歐陽修"),
        ("ouyang", "歐陽修"),
        ("oyx", "欧阳修"),
        ("張偉", "张伟"),
        ("鍾", "钟雨"),
        ("zhangwei", "張偉"),
        ("後", "后羿"),
        ("陳 明", "陈明"),
        ("Ｗａｎｇ", "王"),
    ],
)
def test_traditional_and_simplified_characters_find_each_other(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("shanxiongxin", "单雄信"),
        ("zengguofan", "曾国藩"),
        ("xiezhen", "解珍"),
        ("qiuying", "仇英"),
        ("oulan", "区兰"),
        ("zhaliangyong", "查良镛"),
        ("zhangsunwuji", "长孙无忌"),
        ("yuchigong", "尉迟恭"),
        ("moqi", "万俟卨"),
        ("lvbu", "吕布"),
        ("lubu", "吕布"),
        ("lübu", "吕布"),
        ("piaoshu", "朴树"),
        ("renda", "任达华"),
        ("zhuge", "诸葛亮"),
        ("zgl", "诸葛亮"),
        ("yanyue", "颜乐"),
        ("yanle", "颜乐"),
    ],
)
def test_surnames_are_read_as_surnames(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("har", "Kayla Harrington"),
        ("kay", "Kayla Harrington"),
        ("kayla harr", "Kayla Harrington"),
        ("kayla h", "Kayla Harrington"),
        ("zhang guo q", "张国强"),
        ("anna l", "Anna Lee"),
        ("guo q", "张国强"),
        ("kh", "Kayla Harrington"),
        ("KaylaHarrington", "kayla harrington"),
        ("muller", "Jürgen Müller"),
        ("obrien", "Conan O'Brien"),
        ("o'brien", "Conan O’Brien"),
        ("strasse", "Große Straße"),
        ("tengxun", "深圳市腾讯计算机系统有限公司"),
        ("腾讯", "深圳市腾讯计算机系统有限公司"),
        ("tx", "腾讯3M公司"),
        ("3m", "腾讯3M公司"),
        ("김", "김철수"),
        ("김철", "김철수"),
    ],
)
def test_words_in_letters_are_found_by_prefix_and_companies_by_any_part(query: str, name: str) -> None:
    assert finds(query, name)


def test_every_syllable_written_by_hand_is_a_reading_known_here() -> None:
    for word in words.CHARACTERS.values():
        sound = words.toneless(word.pinyin).replace("ü", "v")
        name = word.text + "明"
        assert finds(sound + "ming", name) or sound in readings(word.text), word


def test_made_up_people_are_found_by_each_way_of_writing_their_names() -> None:
    for record in population(1, people=300).records:
        if record.distortions:
            continue
        parts = [words.toneless(word.pinyin).replace("ü", "v") for word in (record.surname, *record.given)]
        traditional = "".join(word.traditional for word in (record.surname, *record.given))
        for query in (
            record.full_name[:2],
            traditional,
            "".join(parts),
            "".join(parts[:-1]),
            " ".join(parts),
        ):
            assert finds(query, record.full_name), (query, record.full_name)


def test_a_name_of_three_characters_has_about_fifteen_tokens() -> None:
    assert len(search_tokens("王小明")) == 15
    assert len(search_tokens("单雄信")) <= 21
    assert len(search_tokens("有限公司" * 100)) < 300


def test_a_word_of_pinyin_is_split_into_its_syllables() -> None:
    assert split_syllables("xiaoming") == ("xiao", "ming")
    assert split_syllables("zhuangshuang") == ("zhuang", "shuang")
    assert split_syllables("harrington") == ()
    assert split_syllables("") == ()


@given(st.text(max_size=30))
def test_any_text_finds_itself_or_asks_for_nothing(text: str) -> None:
    assert query_tokens(text) <= search_tokens(text)


@given(st.text(max_size=10), st.text(max_size=10))
def test_simplifying_does_not_depend_on_what_stands_beside(one: str, other: str) -> None:
    assert fold(f"{one} {other}") == f"{fold(one)} {fold(other)}"
