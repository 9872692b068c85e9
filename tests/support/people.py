"""Chinese people, duplicates of them as clerks type them, and people who only look like duplicates.

`population(seed)` always answers the same for the same seed. What it makes is raw, as an import
meets it: phones in any notation, names in any script and order. The truth is in `Record.person`.

Seeds below 1000 are for building a matcher, seeds from 1000 on for judging one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations

from tests.support import people_words as words
from tests.support.distortions import (
    BIRTH,
    DISTORTIONS,
    EMAIL,
    NAME,
    PHONE,
    STREET,
    another_mobile,
    retyped_phone,
)
from tests.support.people_words import Word

# What tells who someone is, beside the name. A duplicate keeps at least two of the original's,
# correct or mistyped, for otherwise nobody could know that it is one.
_TELLING = ("phones", "emails", "birth_date", "street_address", "id_number")


@dataclass(frozen=True)
class Record:
    """One row of somebody's list. Two records with the same `person` are the same human being.

    `birth_date` is YYYY-MM-DD; empty fields are unknown. `relation` says in which kind of hard
    case the person was born ("", "twins", "family", "colleagues", "namesakes"), `group` in which
    one; `distortions` name what was done to this record, none for an original.
    """

    id: str
    person: int
    surname: Word
    given: tuple[Word, ...]
    full_name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    birth_date: str = ""
    id_number: str = ""
    province: str = ""
    city: str = ""
    street_address: str = ""
    relation: str = ""
    group: int = 0
    distortions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Population:
    """`records` in random order; `pairs` are the ids of all pairs that are one person."""

    records: tuple[Record, ...]
    pairs: frozenset[frozenset[str]]


def population(seed: int, people: int = 1000, duplicated: float = 0.3) -> Population:
    """`people` different people, of whom the share `duplicated` stands there two to four times."""
    maker = _Maker(random.Random(f"people {seed}"))
    originals = maker.originals(people)
    records = [record for original in originals for record in maker.with_duplicates(original, duplicated)]
    maker.rng.shuffle(records)
    return Population(tuple(records), _truth(records))


def _truth(records: Iterable[Record]) -> frozenset[frozenset[str]]:
    copies: dict[int, list[str]] = {}
    for record in records:
        copies.setdefault(record.person, []).append(record.id)
    return frozenset(frozenset(pair) for same in copies.values() for pair in combinations(same, 2))


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._surnames = list(words.SURNAMES.values())
        self._surname_weights = [word.weight for word in self._surnames]
        self._places = words.places()
        self._mail_names: set[str] = set()
        self._groups = 0

    def originals(self, count: int) -> list[Record]:
        makers: tuple[Callable[[], list[Record]], ...] = (
            self._single, self._family, self._twins, self._colleagues, self._namesakes,
        )  # fmt: skip
        found: list[Record] = []
        while len(found) < count:
            self._groups += 1
            found += self.rng.choices(makers, (50, 18, 6, 5, 8))[0]()
        return [replace(one, id=f"p{n}", person=n) for n, one in enumerate(found[:count])]

    def with_duplicates(self, original: Record, share: float) -> list[Record]:
        known = sum(bool(getattr(original, field)) for field in _TELLING)
        if known < 2 or self.rng.random() >= share:
            return [original]
        copies = self.rng.choices((1, 2, 3), (80, 15, 5))[0]
        return [original, *(replace(self._copy(original), id=f"{original.id}-{n}") for n in range(copies))]

    def _copy(self, original: Record) -> Record:
        """The same person recorded again: one to three things done to the record, notation changed."""
        fields, weights = (NAME, PHONE, EMAIL, BIRTH, STREET), (50, 25, 10, 20, 30)
        while True:
            phones = tuple(retyped_phone(self.rng, phone) for phone in original.phones)
            copy = replace(original, phones=phones)
            for field in self.rng.choices(fields, weights, k=self._count()):
                distortion = self.rng.choices(*zip(*DISTORTIONS[field].items(), strict=True))[0]
                if distortion.__name__ not in copy.distortions:
                    changed = distortion(self.rng, copy)
                    if changed != copy:
                        copy = replace(changed, distortions=(*copy.distortions, distortion.__name__))
            if self._recognisable(original, copy):
                return copy

    def _count(self) -> int:
        return self.rng.choices((1, 2, 3), (30, 40, 30))[0]

    @staticmethod
    def _recognisable(original: Record, copy: Record) -> bool:
        """Whether two telling fields are left, be they mistyped."""
        changed = {"phone_changed": "phones", "email_changed": "emails", "street_changed": "street_address"}
        lost = {changed.get(name) for name in copy.distortions}
        left = [
            field
            for field in _TELLING
            if getattr(original, field) and getattr(copy, field) and field not in lost
        ]
        return len(left) >= 2

    # People.

    def _single(self) -> list[Record]:
        return [self._person()]

    def _family(self) -> list[Record]:
        """Parents with children, or a couple: one home, often one phone, one surname beside the mother's."""
        father = self._person(age=self.rng.randint(30, 65), home=True)
        mother = self._relative(father, self._surname(), self._age_of(father) + self.rng.randint(-6, 6))
        children = [
            self._relative(father, father.surname, max(1, self._age_of(father) - self.rng.randint(22, 34)))
            for _ in range(self.rng.choices((0, 1, 2), (20, 55, 25))[0])
        ]
        return self._as_group("family", [father, mother, *children])

    def _twins(self) -> list[Record]:
        """Two of one day and one home; the given names often share their first character."""
        first = self._person(home=True, born=True)
        while True:
            given = self._given()
            if self.rng.random() < 0.5 and len(first.given) == 2:
                given = (first.given[0], self.rng.choice(list(words.GIVEN.values())))
            if self._tell_apart(first.given, given):
                break
        second = self._named(replace(first, emails=self._emails(first.surname, given)), first.surname, given)
        if self.rng.random() < 0.4:
            second = replace(second, phones=(another_mobile(self.rng),))
        return self._as_group("twins", [first, replace(second, id_number="")])

    def _colleagues(self) -> list[Record]:
        """People of one firm: its switchboard, its street, its mail host."""
        host = self._person(home=True)
        area = words.AREA_CODES[host.city]
        switchboard = f"{area}-{self.rng.randint(2, 8)}{self.rng.randrange(10**6):06d}0"
        mail_host = self.rng.choice(words.COMPANY_HOSTS)
        people = []
        for _ in range(self.rng.randint(3, 7)):
            person = self._person(place=(host.province, host.city))
            own = person.phones[:1] if self.rng.random() < 0.5 else ()
            emails = self._emails(person.surname, person.given, mail_host) if self.rng.random() < 0.7 else ()
            people.append(
                replace(person, phones=(switchboard, *own), emails=emails, street_address=host.street_address)
            )
        return self._as_group("colleagues", people)

    def _namesakes(self) -> list[Record]:
        """Different people of one common name in one city."""
        surname = self.rng.choices(self._surnames[:20], self._surname_weights[:20])[0]
        given = tuple(words.GIVEN[text] for text in self.rng.choice(words.COMMON_GIVEN))
        place = self._place()
        people = [self._person(place=place, name=(surname, given)) for _ in range(self.rng.randint(2, 3))]
        return self._as_group("namesakes", people)

    def _as_group(self, relation: str, people: list[Record]) -> list[Record]:
        return [replace(person, relation=relation, group=self._groups) for person in people]

    def _person(
        self, age: int = 0, home: bool = False, born: bool = False,
        place: tuple[str, str] | None = None, name: tuple[Word, tuple[Word, ...]] | None = None,
    ) -> Record:  # fmt: skip
        """`home` and `born` make the address and the birth date certain."""
        rng = self.rng
        surname, given = name or (self._surname(), self._given())
        birth = self._birth(age or rng.randint(16, 78))
        province, city = place or self._place()
        phones = tuple(another_mobile(rng) for _ in range(rng.choices((0, 1, 2), (5, 85, 10))[0]))
        person = Record(
            id="", person=0, surname=surname, given=given, full_name=_written(surname, given), phones=phones,
            emails=self._emails(surname, given) if rng.random() < 0.5 else (),
            birth_date=birth.isoformat() if age or born or rng.random() < 0.65 else "",
            province=province, city=city,
            street_address=self._address(province, city) if home or rng.random() < 0.8 else "",
        )  # fmt: skip
        if person.birth_date and rng.random() < 0.1:
            person = replace(person, id_number=self._id_number(birth))
        return person

    def _relative(self, head: Record, surname: Word, age: int) -> Record:
        given = self._given()
        phones = head.phones if self.rng.random() < 0.6 else (another_mobile(self.rng),)
        return replace(
            self._named(head, surname, given), phones=phones, id_number="",
            emails=self._one_of(self._emails(surname, given), head.emails, ()),
            birth_date=self._birth(age).isoformat() if self.rng.random() < 0.65 else "",
        )  # fmt: skip

    def _one_of(
        self, own: tuple[str, ...], shared: tuple[str, ...], none: tuple[str, ...]
    ) -> tuple[str, ...]:
        return self.rng.choices((own, shared, none), (40, 10, 50))[0]

    def _named(self, person: Record, surname: Word, given: tuple[Word, ...]) -> Record:
        return replace(person, surname=surname, given=given, full_name=_written(surname, given))

    def _tell_apart(self, one: tuple[Word, ...], other: tuple[Word, ...]) -> bool:
        """Whether parents would call twins so: the names neither sound nor look the same."""
        if len(one) != len(other):
            return not {word.text for word in one} & {word.text for word in other}
        return any(
            words.toneless(a.pinyin) != words.toneless(b.pinyin)
            and b.text not in words.LOOKALIKES.get(a.text, "")
            for a, b in zip(one, other, strict=True)
        )

    # Parts.

    def _surname(self) -> Word:
        return self.rng.choices(self._surnames, self._surname_weights)[0]

    def _given(self) -> tuple[Word, ...]:
        if self.rng.random() < 0.35:
            return tuple(words.GIVEN[text] for text in self.rng.choice(words.COMMON_GIVEN))
        return tuple(self.rng.choices(list(words.GIVEN.values()), k=self.rng.choices((1, 2), (22, 78))[0]))

    def _place(self) -> tuple[str, str]:
        province, city, _ = self.rng.choice(self._places)
        return province, city

    def _birth(self, age: int) -> date:
        return date(2025, 1, 1) - timedelta(days=age * 365 + self.rng.randrange(365))

    def _age_of(self, person: Record) -> int:
        return max(20, 2025 - int(person.birth_date[:4]))

    def _emails(self, surname: Word, given: tuple[Word, ...], host: str = "") -> tuple[str, ...]:
        """One address, at `host` or a public one, that nobody else here has."""
        plain = [words.toneless(word.pinyin).replace("ü", "v") for word in (surname, *given)]
        while True:
            local = self.rng.choice([
                "".join(plain), plain[0] + "".join(part[0] for part in plain[1:]),
                "".join(plain[1:]) + "." + plain[0], str(self.rng.randrange(10**7, 10**9)),
            ])  # fmt: skip
            if not host or self.rng.random() < 0.3:
                local += str(self.rng.randrange(10, 3000))
            address = f"{local}@{host or self.rng.choice(words.MAIL_HOSTS)}"
            if address not in self._mail_names:
                self._mail_names.add(address)
                return (address,)

    def _address(self, province: str, city: str) -> str:
        rng = self.rng
        district = rng.choice([district for _, there, district in self._places if there == city])
        street = f"{rng.choice(words.STREETS)}{rng.randint(1, 399)}号"
        if rng.random() < 0.6:
            street += rng.choice(words.ESTATES)
        building = f"{rng.randint(1, 30)}{rng.choice('栋幢')}" if rng.random() < 0.8 else ""
        unit = f"{rng.randint(1, 4)}单元" if building and rng.random() < 0.6 else ""
        room = f"{rng.randint(1, 32)}{rng.randint(1, 8):02d}室"
        region = rng.choice(["", city, province + city if province != city else city])
        return f"{region}{district}{street}{building}{unit}{room}"

    def _id_number(self, birth: date) -> str:
        digits = f"{self.rng.randrange(110101, 659000)}{birth:%Y%m%d}{self.rng.randrange(1000):03d}"
        total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits))
        return digits + "10X98765432"[total % 11]


def _written(surname: Word, given: tuple[Word, ...]) -> str:
    return surname.text + "".join(word.text for word in given)
