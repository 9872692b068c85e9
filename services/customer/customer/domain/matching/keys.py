"""The keys by which a duplicate is looked up: two records of one person share at least one.

A key is "kind:value". Each is selective enough for a million people: a birth date, a name or a city
alone is none. The store keeps them as blind tokens, so they are compared for equality only.
"""

from __future__ import annotations

from collections.abc import Iterator

from customer.domain.matching.addresses import Address
from customer.domain.matching.names import Name
from customer.domain.matching.subject import Traits

_MOST_CONTACTS = 3


def blocking_keys(person: Traits) -> tuple[str, ...]:
    """About eight keys of a person of whom everything is known, fewer of others; none of nobody."""
    return tuple(dict.fromkeys(_keys(person)))


def _keys(person: Traits) -> Iterator[str]:
    for phone in person.phones[:_MOST_CONTACTS]:
        yield f"phone:{phone}"
    for email in person.emails[:_MOST_CONTACTS]:
        yield f"email:{email}"
    if person.id_number:
        yield f"id:{person.id_number}"
    birth, letters, spot = person.birth_date, _letters(person.name), _spot(person)
    if birth and letters:
        yield f"name+year:{letters}:{birth[:4]}"
        yield f"name+day:{letters}:{birth[4:]}"
    if birth and spot:
        yield f"birth+spot:{birth}:{spot}"
    yield from _home(person, letters, spot)
    # Towns have streets of the same names; a postcode lies in one town.
    town = person.city if person.address.chinese else ""
    for part in _parts(person.name):
        if birth:
            yield f"part+birth:{part}:{birth}"
        if spot:
            yield f"part+spot:{part}:{spot}:{town}"


def _home(person: Traits, letters: str, spot: str) -> Iterator[str]:
    """Where hundreds live at one number of a road, the number needs a name; in small towns it does not."""
    if person.address.chinese:
        if letters and spot:
            yield f"name+spot:{letters}:{spot}"
    elif person.city and person.address.numbers:
        yield f"town+number:{person.city}:{person.address.numbers[0]}"


def _letters(name: Name) -> str:
    """The letters of a name in alphabetical order: the same however its parts are ordered and spaced.

    Without h and g, which come and go with regional speech (zh and z, ng and n).
    """
    return "".join(sorted(name.sounds[0])).replace("h", "").replace("g", "") if name else ""


def _parts(name: Name) -> tuple[str, ...]:
    """How the first and the last part of a name sound, for names mistyped elsewhere."""
    if name.syllables:
        return tuple(dict.fromkeys((name.syllables[0], name.syllables[-1])))
    return tuple({soundex(part) for part in (name.given, name.surname) if part})


def _spot(person: Traits) -> str:
    """A place small enough to block on: road and number, else the postcode or town of a Latin address."""
    address: Address = person.address
    if address.chinese:
        return f"{address.lines[0][-6:]}{address.numbers[0]}" if address.lines and address.numbers else ""
    # Two digits exchanged are the commonest slip: their order is left out.
    return "".join(sorted(person.postcode)) or (person.city if person.city.isascii() else "")


_CODES = {
    letter: code
    for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), start=1)
    for letter in letters
}


def soundex(word: str) -> str:
    """The classic four-place code: "ashcraft" -> "a261". Letters beyond a–z count as vowels."""
    code, previous = word[:1], _CODES.get(word[:1], 0)
    for letter in word[1:]:
        if letter in "hw":
            continue
        current = _CODES.get(letter, 0)
        if current and current != previous:
            code += str(current)
            if len(code) == 4:
                break
        previous = current
    return code
