"""People and companies as the archive keeps them, and what must be true of them (C-02 to C-04)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from kernel.pure.clock import parse_date
from kernel.pure.contact import normalize_email, normalize_phone
from kernel.pure.errors import Checks

_LONGEST_NAME = 200
_LONGEST_TEXT = 100
_LONGEST_ADDRESS = 500
_MOST_CONTACTS = 10
_MOST_TAGS = 50
_MOST_EXTERNAL_IDS = 20
_MOST_COLLABORATORS = 20
_IDENTITY_NUMBER = re.compile(r"[0-9A-Z-]{4,30}")
_OLDEST_BIRTH = date(1900, 1, 1)
# Stands in values that a caller was shown masked; stored, it would overwrite what it hides.
_MASK = "***"
# Owns the customers that nobody owns yet: those that came by themselves.
NOBODY = UUID(int=0)
COMPANY_SIZES = ("", "micro", "small", "medium", "large")


@dataclass(frozen=True, order=True)
class ExternalId:
    """The id of a customer in another system; one customer a (source, value)."""

    source: str
    value: str


@dataclass(frozen=True)
class Person:
    """A natural person: everything in here is sealed. `birth_date` is YYYY-MM-DD or empty."""

    full_name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    street_address: str = ""
    birth_date: str = ""
    identity_number: str = ""

    def document(self) -> dict[str, Any]:
        """The document that is sealed; empty fields left out."""
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Person:
        """The person in an opened document."""
        return cls(**_members(document))


@dataclass(frozen=True)
class Company:
    """A company; in clear. `size` is one of COMPANY_SIZES."""

    name: str
    credit_code: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    registered_address: str = ""
    size: str = ""

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Company:
        return cls(**_members(document))


@dataclass(frozen=True)
class Profile:
    """All that a caller can say of a customer. `owner_id` None means: whoever records it; nobody, when
    that is a service."""

    details: Person | Company
    external_ids: tuple[ExternalId, ...] = ()
    owner_id: UUID | None = None
    source_channel: str = ""
    industry: str = ""
    province: str = ""
    city: str = ""
    tags: tuple[str, ...] = ()
    collaborator_ids: tuple[UUID, ...] = ()

    @property
    def kind(self) -> str:
        return "person" if isinstance(self.details, Person) else "company"


@dataclass(frozen=True)
class Customer:
    """A customer as stored. `version` grows by one with each change; `deleted_at` is when it was hidden."""

    id: UUID
    version: int
    profile: Profile
    owner_id: UUID = field(kw_only=True)
    deleted_at: datetime | None = None

    def changed(self, profile: Profile) -> Customer:
        """The customer after a change; the kind never changes, the owner only when one is named."""
        return replace(
            self, version=self.version + 1, profile=profile, owner_id=profile.owner_id or self.owner_id
        )

    def deleted(self, at: datetime) -> Customer:
        """The customer hidden from `at` on."""
        return replace(self, version=self.version + 1, deleted_at=at)

    def undeleted(self) -> Customer:
        """The customer shown again."""
        return replace(self, version=self.version + 1, deleted_at=None)


# What customers in the portal may change of themselves, by the names of changed_fields: how they are
# reached. Who they are and how they are dealt with is for staff to say.
OWN_CHANGEABLE = frozenset(
    {"person.phones", "person.emails", "person.street_address", "company.phones", "province", "city"}
)


def changed_fields(before: Profile, after: Profile) -> list[str]:
    """The names of the fields that differ, "industry", "person.phones"; never their values."""
    sealed = [
        f"{after.kind}.{name}"
        for name, value in vars(after.details).items()
        if value != getattr(before.details, name)
    ]
    clear = (name for name in vars(after) if name != "details")
    return sealed + [name for name in clear if getattr(before, name) != getattr(after, name)]


def _members(document: dict[str, Any]) -> Any:
    """The fields of a document; what was a list in JSON is a tuple."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}


def checked(profile: Profile, checks: Checks, at: str, today: date, *, members: int = 1) -> Profile:
    """`profile` in normal form: trimmed texts, E.164 phones, lower-case e-mails.

    Refuses, through `checks` and naming fields below `at`, whatever breaks a rule. What a survivor shows
    may have as many entries as its `members` together.
    """
    rules = _Rules(checks, at, members)
    details: Person | Company
    if isinstance(profile.details, Person):
        details = _person(profile.details, rules.within("person"), today)
    else:
        details = _company(profile.details, rules.within("company"))
    return Profile(
        details=details,
        external_ids=rules.external_ids(profile.external_ids),
        owner_id=profile.owner_id,
        source_channel=rules.text("source_channel", profile.source_channel, _LONGEST_TEXT),
        industry=rules.text("industry", profile.industry, _LONGEST_TEXT),
        province=rules.text("province", profile.province, _LONGEST_TEXT),
        city=rules.text("city", profile.city, _LONGEST_TEXT),
        tags=rules.tags(profile.tags),
        collaborator_ids=rules.collaborators(profile.collaborator_ids),
    )


def _person(person: Person, rules: _Rules, today: date) -> Person:
    return Person(
        full_name=rules.name("full_name", person.full_name),
        phones=rules.phones(person.phones),
        emails=rules.emails(person.emails),
        street_address=rules.address("street_address", person.street_address),
        birth_date=rules.birth_date("birth_date", person.birth_date, today),
        identity_number=rules.identity_number("identity_number", person.identity_number),
    )


def _company(company: Company, rules: _Rules) -> Company:
    return Company(
        name=rules.name("name", company.name),
        credit_code=rules.text("credit_code", company.credit_code, 18).upper(),
        phones=rules.phones(company.phones),
        emails=rules.emails(company.emails),
        registered_address=rules.text("registered_address", company.registered_address, _LONGEST_ADDRESS),
        size=company.size,
    )


class _Rules:
    """The rules of single fields; each answers the normal form and refuses through `checks`."""

    __slots__ = ("at", "checks", "members")

    def __init__(self, checks: Checks, at: str, members: int = 1) -> None:
        self.checks = checks
        self.at = at
        self.members = members

    def within(self, field: str) -> _Rules:
        return _Rules(self.checks, self._path(field), self.members)

    def text(self, field: str, value: str, longest: int) -> str:
        value = value.strip()
        if not value:
            return value
        if len(value) > longest:
            self._refuse(
                field, "TOO_LONG", f"must have at most {longest} characters", f"最多 {longest} 个字符"
            )
        if not value.isprintable() and any(ord(character) < 32 for character in value):
            self._refuse(field, "CONTROL_CHARACTER", "must not hold control characters", "不能包含控制字符")
        return value

    def name(self, field: str, value: str) -> str:
        value = " ".join(self.text(field, value, _LONGEST_NAME).split())
        if not value:
            self._refuse(field, "REQUIRED", "must not be empty", "不能为空")
        return value

    def address(self, field: str, value: str) -> str:
        value = self.text(field, value, _LONGEST_ADDRESS)
        self._is_masked(field, value)
        return value

    def phones(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return self._contacts(
            "phones", values, normalize_phone, "PHONE_FORMAT", "must be a phone number", "必须是电话号码"
        )

    def emails(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return self._contacts(
            "emails",
            values,
            normalize_email,
            "EMAIL_FORMAT",
            "must be an e-mail address",
            "必须是电子邮件地址",
        )

    def tags(self, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            return ()
        self._at_most("tags", len(values), _MOST_TAGS)
        stripped = (self.text(f"tags[{index}]", tag, _LONGEST_TEXT) for index, tag in enumerate(values))
        return tuple(sorted({tag for tag in stripped if tag}))

    def external_ids(self, values: tuple[ExternalId, ...]) -> tuple[ExternalId, ...]:
        self._at_most("external_ids", len(values), _MOST_EXTERNAL_IDS)
        found: set[ExternalId] = set()
        for index, given in enumerate(values):
            rules = self.within(f"external_ids[{index}]")
            source = rules.text("source", given.source, _LONGEST_TEXT)
            value = rules.text("value", given.value, _LONGEST_TEXT)
            for name, text in (("source", source), ("value", value)):
                if not text:
                    rules._refuse(name, "REQUIRED", "must not be empty", "不能为空")
            found.add(ExternalId(source, value))
        return tuple(sorted(found))

    def birth_date(self, field: str, value: str, today: date) -> str:
        if not value:
            return ""
        day = parse_date(value, lambda rule, en, zh: self._refuse(field, rule, en, zh))
        if day is not None and not _OLDEST_BIRTH <= day <= today:
            self._refuse(
                field,
                "BIRTH_DATE_RANGE",
                "must lie between 1900-01-01 and today",
                "必须在 1900-01-01 与今天之间",
            )
        return value

    def identity_number(self, field: str, value: str) -> str:
        value = self.text(field, value, 30).upper()
        if value and not _IDENTITY_NUMBER.fullmatch(value):
            self._refuse(
                field,
                "IDENTITY_NUMBER",
                "must have 4 to 30 letters, digits or hyphens",
                "必须是 4 到 30 个字母、数字或连字符",
            )
        return value

    def collaborators(self, values: tuple[UUID, ...]) -> tuple[UUID, ...]:
        if not values:
            return ()
        self._at_most("collaborator_ids", len(values), _MOST_COLLABORATORS)
        return tuple(sorted(set(values)))

    def _contacts(
        self, field: str, values: tuple[str, ...], normal: Callable[[str], str], rule: str, en: str, zh: str
    ) -> tuple[str, ...]:
        if not values:
            return ()
        self._at_most(field, len(values), _MOST_CONTACTS)
        found: dict[str, None] = {}
        for index, value in enumerate(values):
            if _MASK in value and self._is_masked(f"{field}[{index}]", value):
                continue
            try:
                found[normal(value)] = None
            except ValueError:
                self._refuse(f"{field}[{index}]", rule, en, zh)
        return tuple(found)

    def _is_masked(self, field: str, value: str) -> bool:
        if _MASK in value:
            self._refuse(field, "MASKED", "must be the value itself, not its mask", "必须是原值，而非脱敏值")
        return _MASK in value

    def _at_most(self, field: str, count: int, most: int) -> None:
        most *= self.members
        if count > most:
            self._refuse(field, "TOO_MANY", f"must have at most {most} entries", f"最多 {most} 项")

    def _refuse(self, field: str, rule: str, en: str, zh: str) -> None:
        self.checks.refuse(self._path(field), rule, en, zh)

    def _path(self, field: str) -> str:
        return f"{self.at}.{field}" if self.at else field
