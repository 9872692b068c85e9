"""A row of a file as a customer: mapped, normalised, and checked by the rules of any other customer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from customer.domain.customer import Company, ExternalId, Person, Profile, checked
from customer.domain.importing.fields import COMPANY
from customer.domain.importing.notation import plain, read_date, read_size, split_emails, split_list
from kernel.pure.errors import Checks
from kernel.pure.text.folding import is_han

# What a decoder writes for bytes that are no text in the file's encoding.
UNREADABLE = "\ufffd"


@dataclass(frozen=True, slots=True)
class Record:
    """A row of cells. `line` is where it begins in the file; the header is line 1.

    `broken` says why it could not be cut into cells, by the name of a rule.
    """

    line: int
    cells: Sequence[str]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Which column breaks which rule, for a person; never the value."""

    column: str
    rule: str
    en: str
    zh: str


@dataclass(slots=True)
class Row:
    """What a record says: a profile in normal form, or the problems for which it is refused."""

    line: int
    profile: Profile | None
    problems: tuple[Problem, ...] = ()


_BROKEN = {
    "ROW_FORMAT": (
        "can't be cut into cells: look for a quote that is not closed",
        "无法拆分单元格，请检查未闭合的引号",
    ),
    "ENCODING": ("holds bytes that are no text in the file's encoding", "包含不符合文件编码的字节"),
}
_INDEX = re.compile(r"\[\d+\]")


class RowReader:
    """Reads records of one file by its mapping.

    `names` are the file's columns, `mapping` says to which field a column goes, `source` is where
    the external ids come from; `fallback_id` names a row that has none, from its content.
    """

    def __init__(
        self,
        names: Sequence[str],
        mapping: Mapping[str, str],
        *,
        kind: str,
        source: str,
        owner_id: UUID,
        today: date,
        fallback_id: Callable[[Profile], str],
    ) -> None:
        self._kind = kind
        self._source = source
        self._owner_id = owner_id
        self._today = today
        self._fallback_id = fallback_id
        self._names: dict[str, list[str]] = {}
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            field = mapping.get(name)
            if field:
                self._places.setdefault(field, []).append(place)
                self._names.setdefault(field, []).append(name)
        self._columns = [(field, places) for field, places in self._places.items()]

    def read(self, record: Record) -> Row:
        """The row of a record. Never raises for what the file holds."""
        if record.broken:
            return Row(record.line, None, (Problem("", record.broken, *_BROKEN[record.broken]),))
        if UNREADABLE in "\n".join(record.cells):
            return Row(record.line, None, (Problem("", "ENCODING", *_BROKEN["ENCODING"]),))
        values = self._values(record.cells)
        checks = Checks()
        profile = checked(self._profile(values, checks), checks, "", self._today)
        if checks.found:
            return Row(record.line, None, tuple(self._problems(checks)))
        if not profile.external_ids:
            own = ExternalId(self._source, self._fallback_id(profile))
            profile = replace(profile, external_ids=(own,))
        return Row(record.line, profile)

    def _values(self, cells: Sequence[str]) -> dict[str, list[str]]:
        """The cells of each field, without the empty ones."""
        values: dict[str, list[str]] = {}
        count = len(cells)
        for field, places in self._columns:
            parts = [text for place in places if place < count and (text := plain(cells[place]))]
            if parts:
                values[field] = parts
        return values

    def _profile(self, values: Mapping[str, list[str]], checks: Checks) -> Profile:
        def one(field: str) -> str:
            parts = values.get(field)
            return parts[0] if parts else ""

        external_id = one("external_id")
        tags = [tag for part in values.get("tags", ()) for tag in split_list(part)]
        return Profile(
            details=self._company(values, checks) if self._kind == COMPANY else self._person(values, checks),
            external_ids=(ExternalId(self._source, external_id),) if external_id else (),
            owner_id=self._owner_id,
            source_channel=one("source_channel"),
            industry=one("industry"),
            province=one("province"),
            city=one("city"),
            tags=tuple(tags),
        )

    def _person(self, values: Mapping[str, list[str]], checks: Checks) -> Person:
        birth_date = "".join(values.get("person.birth_date", ()))
        if birth_date:
            day = read_date(birth_date)
            if day is None:
                checks.refuse(
                    "person.birth_date",
                    "DATE_FORMAT",
                    "must be a date such as 1990-01-31 that can be read in one way",
                    "必须是可唯一识别的日期，例如 1990-01-31",
                )
            birth_date = day or ""
        return Person(
            full_name=_name(values),
            phones=_all(values.get("person.phones"), split_list),
            emails=_all(values.get("person.emails"), split_emails),
            street_address=_address(values.get("person.street_address")),
            birth_date=birth_date,
            identity_number="".join(values.get("person.identity_number", ())),
        )

    def _company(self, values: Mapping[str, list[str]], checks: Checks) -> Company:
        size = read_size("".join(values.get("company.size", ())))
        if size is None:
            checks.refuse(
                "company.size",
                "COMPANY_SIZE",
                "must be micro, small, medium or large",
                "必须是微型、小型、中型或大型",
            )
        return Company(
            name="".join(values.get("company.name", ())),
            credit_code="".join(values.get("company.credit_code", ())),
            phones=_all(values.get("company.phones"), split_list),
            emails=_all(values.get("company.emails"), split_emails),
            registered_address=_address(values.get("company.registered_address")),
            size=size or "",
        )

    def _problems(self, checks: Checks) -> list[Problem]:
        found: dict[Problem, None] = {}
        for violation in checks.found:
            field = _INDEX.sub("", violation.field)
            if field.startswith("external_ids"):
                field = "external_id"
            names = self._names.get(field) or self._names.get("person.surname", [])
            found[Problem(", ".join(names), violation.rule, violation.en, violation.zh)] = None
        return list(found)


def _name(values: Mapping[str, list[str]]) -> str:
    """The full name; of its parts, in the order in which its script is read."""
    full = values.get("person.full_name")
    if full:
        return full[0]
    surname, given = (" ".join(values.get(f"person.{part}", ())) for part in ("surname", "given_name"))
    if surname and is_han(surname[0]):
        return surname + given
    return f"{given} {surname}"


def _all(cells: list[str] | None, split: Callable[[str], list[str]]) -> tuple[str, ...]:
    if not cells:
        return ()
    return tuple(part for cell in cells for part in split(cell))


def _address(cells: list[str] | None) -> str:
    """The lines of an address as one; a line break in a cell is a comma too."""
    if not cells:
        return ""
    if len(cells) == 1 and cells[0].isprintable():
        return cells[0]
    return ", ".join(part for cell in cells for part in map(str.strip, cell.splitlines()) if part)
