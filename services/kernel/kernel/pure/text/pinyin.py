"""How the characters of a name sound."""

from __future__ import annotations

import os
import re
from functools import lru_cache

# Characters are asked for one by one: the dictionary of phrases would take 40 MiB and say nothing.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, lazy_pinyin

# Characters that sound otherwise at the head of a name, as a surname.
_AS_SURNAME = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "盖": "ge",
    "朴": "piao", "员": "yun", "翟": "zhai", "覃": "qin", "缪": "miao", "乜": "nie", "折": "she",
    "种": "chong", "秘": "bi", "繁": "po", "牟": "mu", "重": "chong", "洗": "xian", "黑": "he",
    "召": "shao", "祭": "zhai", "郇": "xun", "阚": "kan", "乐": "yue", "藏": "zang", "薄": "bo",
    "卜": "bu",
}  # fmt: skip
# Surnames of two characters, with their sound.
COMPOUND_SURNAMES = {
    "欧阳": ("ou", "yang"), "上官": ("shang", "guan"), "司马": ("si", "ma"), "诸葛": ("zhu", "ge"),
    "司徒": ("si", "tu"), "夏侯": ("xia", "hou"), "皇甫": ("huang", "fu"), "尉迟": ("yu", "chi"),
    "慕容": ("mu", "rong"), "令狐": ("ling", "hu"), "万俟": ("mo", "qi"), "澹台": ("tan", "tai"),
    "长孙": ("zhang", "sun"), "单于": ("chan", "yu"), "公孙": ("gong", "sun"), "宇文": ("yu", "wen"),
    "东方": ("dong", "fang"), "南宫": ("nan", "gong"), "西门": ("xi", "men"), "独孤": ("du", "gu"),
    "司空": ("si", "kong"), "端木": ("duan", "mu"), "轩辕": ("xuan", "yuan"), "闻人": ("wen", "ren"),
    "申屠": ("shen", "tu"), "太史": ("tai", "shi"), "呼延": ("hu", "yan"), "钟离": ("zhong", "li"),
    "拓跋": ("tuo", "ba"), "百里": ("bai", "li"), "东郭": ("dong", "guo"), "第五": ("di", "wu"),
    "濮阳": ("pu", "yang"), "赫连": ("he", "lian"), "淳于": ("chun", "yu"), "鲜于": ("xian", "yu"),
}  # fmt: skip
# Characters of given names that are read in more than one way, the common reading first.
_READ_TWO_WAYS: dict[str, tuple[str, ...]] = {
    "乐": ("le", "yue"), "朝": ("zhao", "chao"), "长": ("chang", "zhang"), "茜": ("qian", "xi"),
    "行": ("xing", "hang"), "重": ("chong", "zhong"), "晟": ("sheng", "cheng"), "莘": ("xin", "shen"),
    "盛": ("sheng", "cheng"), "曾": ("zeng", "ceng"), "单": ("dan", "shan"), "解": ("jie", "xie"),
    "查": ("cha", "zha"), "区": ("qu", "ou"), "仇": ("chou", "qiu"), "娜": ("na", "nuo"),
    "莎": ("sha", "suo"), "参": ("can", "shen"), "炅": ("jiong", "gui"), "翟": ("zhai", "di"),
    "覃": ("qin", "tan"), "盖": ("gai", "ge"), "朴": ("pu", "piao"), "都": ("du", "dou"),
    "调": ("tiao", "diao"), "柏": ("bai", "bo"), "隽": ("jun", "juan"), "宿": ("su", "xiu"),
    "降": ("jiang", "xiang"), "缪": ("miao", "mou"), "藏": ("zang", "cang"),
}  # fmt: skip


@lru_cache(maxsize=16_384)
def readings(character: str) -> tuple[str, ...]:
    """The common readings of one Chinese character, without tones, the commonest first.

    ü is written v, and follows as u, since both are typed: "吕" -> ("lv", "lu"). A character
    without a known reading reads as itself.
    """
    known = _READ_TWO_WAYS.get(character)
    if known is None:
        known = tuple(lazy_pinyin(character, style=Style.NORMAL, v_to_u=False))
    return _with_u(known)


@lru_cache(maxsize=16_384)
def name_readings(characters: str) -> tuple[tuple[str, ...], ...]:
    """The readings of each character of a folded Chinese name; a surname at its head sounds as such."""
    found = [readings(character) for character in characters]
    compound = COMPOUND_SURNAMES.get(characters[:2])
    if compound:
        found[:2] = [(sound,) for sound in compound]
    elif found:
        surname = _AS_SURNAME.get(characters[0])
        if surname:
            found[0] = _with_u((surname, *(sound for sound in found[0] if sound != surname)))
    return tuple(found)


# Every syllable of Mandarin by its initial.
_SYLLABLES = """
a ai an ang ao e ei en eng er o ou  yi ya yan yang yao ye yin ying yo yong you yu yuan yue yun
wu wa wai wan wang wei wen weng wo  b|a ai an ang ao ei en eng i ian iao ie in ing o u
p|a ai an ang ao ei en eng i ian iao ie in ing o ou u
m|a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u
f|a an ang ei en eng o ou u  d|a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo
t|a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo
n|a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan uo v ve ue
l|a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan un uo v ve ue
g|a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo
k|a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo
h|a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo
j|i ia ian iang iao ie in ing iong iu u uan ue un  q|i ia ian iang iao ie in ing iong iu u uan ue un
x|i ia ian iang iao ie in ing iong iu u uan ue un
zh|a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo
ch|a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo
sh|a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo
r|an ang ao e en eng i ong ou u uan ui un uo  z|a ai an ang ao e ei en eng i ong ou u uan ui un uo
c|a ai an ang ao e en eng i ong ou u uan ui un uo  s|a ai an ang ao e en eng i ong ou u uan ui un uo
"""


def _inventory() -> frozenset[str]:
    found: set[str] = set()
    for group in re.split("  |\n", _SYLLABLES.strip()):
        initial, _, finals = group.rpartition("|")
        found.update(initial + final for final in finals.split())
    return frozenset(found)


SYLLABLES = _inventory()
_LONGEST_SYLLABLE = 6


@lru_cache(maxsize=16_384)
def split_syllables(word: str) -> tuple[str, ...]:
    """A word in pinyin as its syllables, as few and as long at the head as can be: "xiaoming" -> xiao, ming.

    Empty when the word is no pinyin. Where two readings are as short, the first is taken: "fangan"
    is fang an.
    """
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            before = best[start]
            if before is not None and word[start:end] in SYLLABLES:
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = (*before, word[start:end])
    return best[len(word)] or ()


def _with_u(sounds: tuple[str, ...]) -> tuple[str, ...]:
    return sounds + tuple(sound.replace("v", "u") for sound in sounds if sound[1:2] == "v")
