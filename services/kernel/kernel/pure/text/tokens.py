"""By which words a name is found.

The tokens of a name are stored (in clear, or each as a keyed hash); a query asks for names that
hold every token of its own. Chinese names are found by any character, any adjacent pair, and by
whole syllables and initials of their pinyin from any character on; words in Latin or other letters
by any prefix of a word, and by words written together.
"""

from __future__ import annotations

from collections.abc import Iterator

from kernel.pure.text.folding import fold, is_han, units
from kernel.pure.text.pinyin import name_readings

# A name's end beyond this is not searched.
_MOST_UNITS = 40
# How many syllables or words written together are found from anywhere in the name, and from its head.
_RUN, _RUN_FROM_HEAD = 3, 6
_LONGEST_WORD = 20
_MOST_READINGS = 4

Sounds = tuple[tuple[str, ...], ...]


def search_tokens(name: str) -> frozenset[str]:
    """All tokens under which `name` is found; about 15 for a name of three characters.

    Any length is accepted; an empty name, or one of marks only, has none.
    """
    parts = units(fold(name))[:_MOST_UNITS]
    found: set[str] = set()
    previous = ""
    for part in parts:
        if is_han(part):
            found.add(part)
            if previous:
                found.add(previous + part)
            previous = part
        else:
            previous = ""
            found.update(part[:length] for length in range(2, min(len(part), _LONGEST_WORD)))
            found.add(part)
    found.update(_together(_sounds(parts)))
    return frozenset(found)


def query_tokens(text: str) -> frozenset[str]:
    """The tokens that a name must hold to be found by `text`; none when nothing can be searched for.

    A letter at the end begins the next syllable or word: "zhang guo q" finds 张国强.
    """
    found: set[str] = set()
    run = ""
    parts = units(fold(text))[:_MOST_UNITS]
    ending = parts[-_RUN:]
    if len(ending) > 1 and len(ending[-1]) == 1 and all(p.isalpha() and not is_han(p) for p in ending):
        # Initials of what stands together are tokens, too.
        found.add("".join(part[0] for part in ending))
        parts = parts[:-1]
    for part in parts:
        if is_han(part):
            run += part
        else:
            found.update(_characters(run))
            found.add(part)
            run = ""
    found.update(_characters(run))
    return frozenset(found)


def _characters(run: str) -> Iterator[str]:
    """A single character, or the adjacent pairs of several."""
    if len(run) == 1:
        yield run
    for place in range(len(run) - 1):
        yield run[place : place + 2]


def _sounds(parts: tuple[str, ...]) -> Sounds:
    """How each part can be written in letters. Chinese characters that follow one another are one name."""
    found: list[tuple[str, ...]] = []
    run = ""
    for part in parts:
        if is_han(part):
            run += part
            continue
        found += name_readings(run)
        found.append((part,))
        run = ""
    found += name_readings(run)
    return tuple(found)


def _together(sounds: Sounds) -> Iterator[str]:
    """Syllables and words written together, and their initials."""
    for start in range(len(sounds)):
        longest = _RUN_FROM_HEAD if start == 0 else _RUN
        runs = [(sound, sound[0]) for sound in sounds[start]]
        yield from [sound for sound, _ in runs]
        if start == 0:
            yield from [initial for _, initial in runs]
        for choices in sounds[start + 1 : start + longest]:
            runs = [(run + sound, initials + sound[0]) for run, initials in runs for sound in choices]
            if len(runs) > 1:
                del runs[_MOST_READINGS:]
            for run in runs:
                yield from run
