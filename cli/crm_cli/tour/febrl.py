"""The people of febrl1.csv (see data/README.md) as a shop's export: other headers, phones and e-mail
addresses for half of them, and the truth of who is whom.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from pathlib import Path

from crm_cli.tour.people import MadeUpPerson, make_up

FILE = Path(__file__).parent / "data" / "febrl1.csv"
SOURCE = "febrl1"
RECORDS = 1000
TRUE_PAIRS = 500
ENCODING = "gb18030"

# Columns of the export with the field each goes to, which the headers do not always say.
COLUMNS = {
    "编号": "external_id",
    "持卡人名": "person.given_name",
    "持卡人姓": "person.surname",
    "门牌号": "person.street_address",
    "address_1": "person.street_address",
    "address_2": "person.street_address",
    "suburb": "city",
    "邮编": "",
    "state": "province",
    "出生日期": "person.birth_date",
    "社保号": "person.identity_number",
    "手机": "person.phones",
    "电子邮箱": "person.emails",
}
BORN = "出生日期"
# Fields that nobody can tell from the headers or the values.
TO_CORRECT = ("持卡人名", "持卡人姓", "社保号")
# Two neighbours in so many reachable people share the phone of their house.
_HOUSEHOLDS = 10

Pair = frozenset[str]


@dataclass(frozen=True)
class Row:
    """One record. `cells` by the file's own columns; phones and e-mail addresses as somebody typed them."""

    number: str
    cells: dict[str, str]
    phones: tuple[str, ...] = ()
    email: str = ""

    @property
    def whose(self) -> str:
        """Who it is: rec-12-org and rec-12-dup-0 are one person."""
        return person_of(self.number)

    @property
    def born(self) -> str:
        return self.cells["date_of_birth"]

    @property
    def full_name(self) -> str:
        return f"{self.cells['given_name']} {self.cells['surname']}".strip()

    @property
    def street_lines(self) -> tuple[str, ...]:
        """House number, street and place, those that there are."""
        lines = (self.cells[name] for name in ("street_number", "address_1", "address_2"))
        return tuple(filter(None, lines))


def person_of(number: str) -> str:
    return number.split("-")[1]


def read(file: Path = FILE) -> list[Row]:
    """The records in the order of the file, half of the people with contacts."""
    with file.open(encoding="ascii", newline="") as lines:
        rows = [Row(cells["rec_id"], cells) for cells in csv.DictReader(lines, skipinitialspace=True)]
    reachable = sorted({row.whose for row in rows}, key=int)[::2]
    places = {person: place for place, person in enumerate(reachable)}
    people = list(zip(range(2 * len(reachable)), make_up(SOURCE), strict=False))
    own = [who for place, who in people if place % 2 == 0]
    later = [who for place, who in people if place % 2]
    return [
        _reached(row, place, own, later[place]) if (place := places.get(row.whose)) is not None else row
        for row in rows
    ]


def _reached(row: Row, place: int, own: Sequence[MadeUpPerson], later: MadeUpPerson) -> Row:
    """The record with the contacts of its person. What a duplicate shares with its original takes turns:
    both, the phone in another notation, the address alone, the address with a new phone, nothing.
    """
    who = own[place]
    if row.number.endswith("-org"):
        home = (_home(place),) if place % _HOUSEHOLDS < 2 else ()
        return replace(row, phones=(who.phone, *home), email=who.email)
    phone, email = (
        (who.phone, who.email),
        (_spaced(who.phone), ""),
        ("", who.email.upper()),
        (later.phone, who.email),
        ("", ""),
    )[place % 5]
    return replace(row, phones=(phone,) if phone else (), email=email)


def _home(place: int) -> str:
    """A number in Shanghai, the same one for two neighbours."""
    return f"021-6{place // _HOUSEHOLDS:07d}"


def _spaced(phone: str) -> str:
    return f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}"


def e164(phone: str) -> str:
    """A mainland number, in any of the notations here, as the archive keeps it."""
    digits = "".join(filter(str.isdigit, phone))
    return f"+86{digits.removeprefix('86').removeprefix('0')}"


def has_real_birthday(row: Row) -> bool:
    """Whether the day of birth is a day of the calendar, or is not told."""
    try:
        return not row.born or bool(date(int(row.born[:4]), int(row.born[4:6]), int(row.born[6:])))
    except ValueError:
        return False


def corrected(row: Row) -> Row:
    """The record without a day of birth that is none."""
    return row if has_real_birthday(row) else replace(row, cells=row.cells | {"date_of_birth": ""})


def as_export(rows: Iterable[Row], remark: str) -> bytes:
    """The file to upload; `remark` heads a last column that says nothing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, remark])
    for row in rows:
        writer.writerow([*row.cells.values(), "；".join(row.phones), row.email, ""])
    return text.getvalue().encode(ENCODING)


def true_pairs(numbers: Iterable[str]) -> set[Pair]:
    """Who is one person by the file's own naming."""
    people: dict[str, list[str]] = {}
    for number in numbers:
        people.setdefault(person_of(number), []).append(number)
    return set(pairs(people.values()))


def pairs(groups: Iterable[Iterable[str]]) -> Iterator[Pair]:
    """All pairs within groups."""
    for group in groups:
        yield from map(frozenset, combinations(sorted(group), 2))


@dataclass(frozen=True)
class Verdict:
    """Pairs found against pairs that are true."""

    found: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.true

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f} of {self.true} pairs"


def judge(groups: Iterable[Iterable[str]]) -> Verdict:
    """How well groups of record numbers tell people apart."""
    listed = [list(group) for group in groups]
    true = true_pairs(number for group in listed for number in group)
    found = set(pairs(listed))
    return Verdict(len(found), len(found & true), len(true))
