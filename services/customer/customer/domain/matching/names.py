"""Comparing names: characters with characters, characters with pinyin, given names with given names."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from kernel.pure.text.folding import fold, is_han, units
from kernel.pure.text.pinyin import name_readings, split_syllables

_MOST_READINGS = 4
_MOST_SYLLABLES = 4
# What speakers of many regions do not tell apart.
_REGIONAL = re.compile("(?<=[zcs])h|(?<=n)g")
# The three ways to type ü.
_U = re.compile("(?<=[ln])v|(?<=l)yu")

Syllables = tuple[str, ...]


class Name(NamedTuple):
    """A name read. `han` are its Chinese characters; without any, `given` and `surname` are its words.

    `sounds` are its ways of being written in letters without blanks, `loose` the first of them
    with the regional differences levelled; `syllables` those of a Chinese name, levelled
    likewise, none for other names.
    """

    han: str
    given: str
    surname: str
    sounds: tuple[str, ...]
    loose: str
    syllables: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sounds)


@lru_cache(maxsize=16_384)
def read_name(full_name: str, given_name: str = "", surname: str = "") -> Name:
    """Reads a name in any script. One of `full_name` or the two parts is enough."""
    if not full_name and any(map(is_han, surname)):
        full_name, given_name, surname = surname + given_name, "", ""
    if full_name:
        words = units(_surname_last(fold(full_name)))
        han = "".join(filter(is_han, words))
        if han:
            return _chinese(han)
        return _in_letters(" ".join(words[:-1]), words[-1] if words else "")
    return _in_letters(" ".join(units(fold(given_name))), " ".join(units(fold(surname))))


def _surname_last(name: str) -> str:
    """ "Wang, Xiaoming" is Xiaoming Wang."""
    surname, comma, given = name.partition(",")
    return f"{given} {surname}" if comma and given.strip() else name


def _chinese(han: str) -> Name:
    characters = name_readings(han)
    readings = islice(product(*characters), _MOST_READINGS * 2)
    sounds = tuple(dict.fromkeys(_U.sub("u", "".join(reading)) for reading in readings))[:_MOST_READINGS]
    syllables = tuple([_level(choices[0]) for choices in characters])
    return Name(han, "", "", sounds, _REGIONAL.sub("", sounds[0]), syllables)


def _in_letters(given: str, surname: str) -> Name:
    sound = _U.sub("u", (given + surname).replace(" ", ""))
    return Name(
        "", given, surname, (sound,) if sound else (), _REGIONAL.sub("", sound), _pinyin(given, surname)
    )


def _pinyin(given: str, surname: str) -> tuple[str, ...]:
    """The syllables of a name in pinyin, surname first; none when it is no Chinese name."""
    words = [split_syllables(word) for word in (*surname.split(), *given.split())]
    if not all(words):
        return ()
    syllables = tuple(_level(syllable) for word in words for syllable in word)
    return syllables if 2 <= len(syllables) <= _MOST_SYLLABLES else ()


@lru_cache(maxsize=2048)
def _level(syllable: str) -> str:
    """The syllable as those say it who tell neither z from zh nor n from ng; ü as u."""
    return _REGIONAL.sub("", _U.sub("u", syllable))


def name_levels(a: Name, b: Name) -> tuple[str, ...]:
    """How two names agree: one level for Chinese names, two (given name, surname) for others."""
    if not a.sounds or not b.sounds:
        return ()
    if a.syllables and b.syllables:
        return (_chinese_level(a, b),)
    if a.han or b.han:
        return (_romanised(a, b),)
    return _words(a, b)


# Chinese names, in characters or pinyin.


def _chinese_level(a: Name, b: Name) -> str:
    size = "short" if max(len(a.syllables), len(b.syllables)) < 3 else "long"
    if a.han and b.han:
        if a.han == b.han:
            return f"name exact {size}"
        if _rotated(a.han, b.han):
            return f"name swapped {size}"
    if _same_sound(a, b):
        return f"name sounds {size}"
    if _rotated(a.loose, b.loose):
        return f"name sounds nearly {size}"
    if abs(len(a.syllables) - len(b.syllables)) == 1:
        return _shortened(a, b)
    return _in_part(a.syllables, b.syllables)


def _shortened(a: Name, b: Name) -> str:
    """A character left out; "nearly" when those that are left only sound the same."""
    shorter, longer = sorted((a, b), key=lambda name: len(name.syllables))
    if not _left_out(shorter.syllables, longer.syllables):
        return "name disagree"
    if a.han and b.han and not _left_out(tuple(shorter.han), tuple(longer.han)):
        return "name shortened nearly"
    return "name shortened"


def _in_part(one: Syllables, other: Syllables) -> str:
    """Names of which a part sounds the same."""
    if len(one) != len(other):
        return "name disagree"
    if one[1:] == other[1:]:
        return "given exact short" if len(one) < 3 else "given exact long"
    if len(one) > 2:
        for turned in _turns(other):
            apart = [place for place, syllable in enumerate(one) if syllable != turned[place]]
            if len(apart) == 1:
                return "given one character" if apart[0] else "given exact long"
    return "name disagree"


def _left_out(shorter: Syllables, longer: Syllables) -> bool:
    """Whether `shorter` is `longer`, or `longer` turned, without one part."""
    turns = _turns(longer)
    return len(shorter) > 1 and any(
        shorter == turned[:place] + turned[place + 1 :] for turned in turns for place in range(len(longer))
    )


def _turns(name: Syllables) -> tuple[Syllables, ...]:
    """As it stands, and with one syllable, the surname, moved from head to end and from end to head."""
    return (name, name[1:] + name[:1], name[-1:] + name[:-1])


def _rotated(one: str, other: str) -> bool:
    return len(one) == len(other) and one in other + other


def _same_sound(a: Name, b: Name) -> bool:
    for one in a.sounds:
        for other in b.sounds:
            if len(one) == len(other) and one in other + other:
                return True
    return False


# Chinese characters on one side, letters that are no pinyin on the other.


def _romanised(a: Name, b: Name) -> str:
    size = "short" if len(a.han or b.han) < 3 else "long"
    if _same_sound(a, b):
        return f"name sounds {size}"
    for one in a.sounds:
        for other in b.sounds:
            if len(one) > 5 and OSA.distance(one, other, score_cutoff=1) <= 1:
                return f"name sounds nearly {size}"
    return "name disagree"


# Letters on both sides.


def _words(a: Name, b: Name) -> tuple[str, ...]:
    if a.given == b.given and a.surname == b.surname:
        return _both(_part(a.given, b.given), _part(a.surname, b.surname))
    if _rotated(a.sounds[0], b.sounds[0]):
        return ("given exact", "surname exact")
    straight = _part(a.given, b.given), _part(a.surname, b.surname)
    if "disagree" not in straight and "missing" not in straight:
        return _both(*straight)
    # Crossed, neither part is the given name of both: the weaker stands for it, whoever is named first.
    crossed = sorted((_part(a.given, b.surname), _part(a.surname, b.given)), key=_WORTH.__getitem__)
    return _both(*max(straight, (crossed[0], crossed[1]), key=_agreement))


def _both(given: str, surname: str) -> tuple[str, str]:
    return f"given {given}", f"surname {surname}"


_WORTH = {"exact": 3, "near": 2, "missing": 0, "disagree": -2}


def _agreement(parts: tuple[str, str]) -> int:
    return _WORTH[parts[0]] + _WORTH[parts[1]]


def _part(one: str, other: str) -> str:
    if not one or not other:
        return "missing"
    if one == other:
        return "exact"
    longest = max(len(one), len(other))
    edits = (longest + 2) // 4
    if edits and OSA.distance(one, other, score_cutoff=edits) <= edits:
        return "near"
    if longest > 4 and JaroWinkler.similarity(one, other, score_cutoff=0.88):
        return "near"
    return "disagree"
