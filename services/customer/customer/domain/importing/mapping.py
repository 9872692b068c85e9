"""Which column of a file goes to which field: suggested, checked, remembered (C-11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from customer.domain.importing.errors import FileTooWide
from customer.domain.importing.fields import (
    BY_NAME,
    COMPANY,
    FIELDS,
    KINDS,
    MOST_COLUMNS,
    NAMES,
    PERSON,
    Field,
    header_form,
    usable,
)
from customer.domain.importing.notation import read_date
from kernel.pure.contact import normalize_email, normalize_phone
from kernel.pure.errors import Checks


@dataclass(frozen=True)
class Column:
    """A column by its name in the file, and the field it goes to; empty to leave it out."""

    name: str
    field: str
    # Why it was suggested: "saved", "same name", "synonym", "content"; empty when it was not.
    reason: str = ""


def column_names(header: Sequence[str]) -> list[str]:
    """A name for each column, none twice: headers, numbered where they repeat or are missing.

    Raises FileTooWide."""
    if len(header) > MOST_COLUMNS:
        raise FileTooWide(most=MOST_COLUMNS)
    names: list[str] = []
    for place, text in enumerate(header, 1):
        plain = " ".join(text.split())[:100] or f"#{place}"
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain} ({number})"
        names.append(name)
    return names


def suggest(
    names: Sequence[str], samples: Sequence[Sequence[str]], saved: Mapping[str, str] | None
) -> list[Column]:
    """The field each column seems to hold.

    `samples` are some rows of the file; `saved` is the caller's last mapping of just these columns,
    which goes before any guess.
    """
    if saved is not None:
        return [Column(name, saved.get(name, ""), "saved" if saved.get(name) else "") for name in names]
    kind = _kind_of(names)
    taken: set[str] = set()
    found: list[Column] = []
    for name in names:
        field, reason = _by_name(name, kind, taken)
        if field:
            taken.add(field)
        found.append(Column(name, field, reason))
    return [
        column
        if column.field
        else _by_content(column.name, [row[place] for row in samples if place < len(row)], kind, taken)
        for place, column in enumerate(found)
    ]


def missing_fields(columns: Sequence[Column]) -> list[str]:
    """Fields that must be mapped and are not."""
    mapped = {column.field for column in columns}
    kind = COMPANY if any(field.startswith("company.") for field in mapped) else PERSON
    return [] if mapped & set(NAMES[kind]) else [NAMES[kind][0]]


def check(columns: Sequence[Column], names: Sequence[str], kind: str, checks: Checks) -> None:
    """Refuses a mapping that names unknown columns or fields, or fills a single field twice."""
    if kind not in KINDS:
        checks.refuse("kind", "KIND", "must be person or company", "必须是 person 或 company")
        return
    if len(columns) > MOST_COLUMNS:
        checks.refuse(
            "columns", "TOO_MANY", f"must have at most {MOST_COLUMNS} entries", f"最多 {MOST_COLUMNS} 项"
        )
        return
    seen: set[str] = set()
    filled: set[str] = set()
    for index, column in enumerate(columns):
        at = f"columns[{index}]"
        if column.name not in names:
            checks.refuse(
                f"{at}.column", "UNKNOWN_COLUMN", "must be a column of the file", "必须是文件中的列"
            )
        if column.name in seen:
            checks.refuse(f"{at}.column", "REPEATED", "must stand here once", "不能重复")
        seen.add(column.name)
        if not column.field:
            continue
        field = BY_NAME.get(column.field)
        if field is None or not usable(field, kind):
            checks.refuse(
                f"{at}.field", "UNKNOWN_FIELD", "must be a field that can be imported", "必须是可导入的字段"
            )
        elif field.name in filled and not field.many:
            checks.refuse(
                f"{at}.field", "FILLED_TWICE", "takes one column of the file only", "只能对应文件中的一列"
            )
        filled.add(column.field)
    if not filled & set(NAMES[kind]):
        checks.refuse("columns", "NAME_MISSING", "must map the name", "必须对应名称列")


def _kind_of(names: Sequence[str]) -> str:
    """What the headers speak of; a person when in doubt."""
    forms = {header_form(name) for name in names}
    people, companies = (
        sum(bool(forms & (field.called - _called_by_others(field))) for field in FIELDS if field.kind == kind)
        for kind in (PERSON, COMPANY)
    )
    return COMPANY if companies > people else PERSON


def _called_by_others(field: Field) -> frozenset[str]:
    return frozenset().union(*(other.called for other in FIELDS if other.kind != field.kind))


def _by_name(name: str, kind: str, taken: set[str]) -> tuple[str, str]:
    form = header_form(name)
    for field in FIELDS:
        if not usable(field, kind) or (field.name in taken and not field.many):
            continue
        if form in (header_form(field.name), header_form(field.name.rpartition(".")[2])):
            return field.name, "same name"
        if form in field.called:
            return field.name, "synonym"
    return "", ""


# A date of these is no birthday.
_OTHER_DATES = re.compile(
    "注册|创建|登记|建档|购买|下单|订单|更新|修改|到期|签|最近|最后|上次|创立|成立|"
    "regist|creat|order|purchas|updat|modif|expir|sign|last|since|found|join",
    re.IGNORECASE,
)
_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
_CREDIT_CODE = re.compile(r"(?=.*[A-Z])[0-9A-HJ-NPQRTUWXY]{18}")
_MOSTLY = 0.8


def _by_content(name: str, values: Sequence[str], kind: str, taken: set[str]) -> Column:
    filled = [value.strip() for value in values if value.strip()]
    for field, fits in _SIGNS.items():
        known = BY_NAME[field]
        if not filled or not usable(known, kind) or (field in taken and not known.many):
            continue
        if field == "person.birth_date" and _OTHER_DATES.search(name):
            continue
        if sum(map(fits, filled)) >= _MOSTLY * len(filled):
            taken.add(field)
            return Column(name, field, "content")
    return Column(name, "")


def _accepts(normal: Callable[[str], str]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            normal(text)
        except ValueError:
            return False
        return True

    return accepts


def _is_citizen(text: str) -> bool:
    """An 18-place identity number of China whose last place is right (GB 11643)."""
    if not _CITIZEN.fullmatch(text):
        return False
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


# The narrow ones first: an identity number would pass for nothing else, a date of 8 digits for a phone.
_SIGNS: dict[str, Callable[[str], bool]] = {
    "person.identity_number": _is_citizen,
    "company.credit_code": lambda text: _CREDIT_CODE.fullmatch(text.upper()) is not None,
    "person.emails": _accepts(normalize_email),
    "company.emails": _accepts(normalize_email),
    "person.birth_date": lambda text: read_date(text) is not None,
    "person.phones": _accepts(normalize_phone),
    "company.phones": _accepts(normalize_phone),
}
