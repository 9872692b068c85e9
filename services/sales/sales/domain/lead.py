"""A lead: somebody who may buy (S-01 to S-03). It refers to a customer and is no copy of a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.pure.contact import normalize_email, normalize_phone
from kernel.pure.errors import Checks
from sales.domain.errors import LeadIsClosed
from sales.domain.reading import read_text

LONGEST_TEXT = 100
LONGEST_WORDS = 4_000
LONGEST_NAME = 200
MOST_CONTACTS = 10
LARGEST_BATCH = 100
CLOSE_REASONS = ("no_need", "no_budget", "competitor", "unreachable", "duplicate", "other")


class LeadStatus(StrEnum):
    # Nobody has followed it up yet.
    NEW = "new"
    WORKING = "working"
    # An opportunity came of it.
    QUALIFIED = "qualified"
    CLOSED = "closed"


@dataclass(frozen=True)
class Contact:
    """Who a lead is about: a company, or a person with a phone or an e-mail address."""

    full_name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    company_name: str = ""


@dataclass(frozen=True)
class LeadDraft:
    """A lead as told; `customer_id` or `contact` says whose."""

    source_channel: str
    industry: str = ""
    province: str = ""
    city: str = ""
    requirement: str = ""
    owner_id: UUID | None = None
    customer_id: UUID | None = None
    contact: Contact | None = None

    def intake(self) -> dict[str, Any]:
        """What the customer service is told of the contact, by the names of its contract."""
        contact = self.contact or Contact()
        reach = {"phones": list(contact.phones), "emails": list(contact.emails)}
        company = {"company": {"name": contact.company_name, **reach}}
        person = {"person": {"full_name": contact.full_name, **reach}}
        where = {"industry": self.industry, "province": self.province, "city": self.city}
        return {
            **(company if contact.company_name else person),
            "source_channel": self.source_channel,
            **where,
        }


@dataclass(frozen=True)
class Lead:
    """`owner_id` None: it lies in the public pool. `assigned_at` and `followed_at` speak of the present
    owner; `requirement` is free text about the customer."""

    id: UUID
    version: int
    customer_id: UUID
    status: LeadStatus
    score: int
    source_channel: str
    industry: str
    province: str
    city: str
    requirement: str
    created_at: datetime
    owner_id: UUID | None = None
    opportunity_id: UUID | None = None
    assigned_at: datetime | None = None
    followed_at: datetime | None = None
    # Why nothing came of it.
    close_reason: str = ""

    @property
    def open(self) -> bool:
        return self.status is not LeadStatus.CLOSED

    def scored(self, score: int) -> Lead:
        return replace(self, version=self.version + 1, score=score)

    def given_to(self, owner_id: UUID | None, at: datetime) -> Lead:
        """The lead in another hand, or in the pool; whoever had it before has not followed it up."""
        self.require_open()
        assigned_at = at if owner_id else None
        return replace(
            self, version=self.version + 1, owner_id=owner_id, assigned_at=assigned_at, followed_at=None
        )

    def followed(self, at: datetime) -> Lead:
        self.require_open()
        status = LeadStatus.WORKING if self.status is LeadStatus.NEW else self.status
        return replace(self, version=self.version + 1, status=status, followed_at=at)

    def qualified(self, opportunity_id: UUID) -> Lead:
        """The lead of which an opportunity came."""
        self.require_open()
        return replace(
            self,
            version=self.version + 1,
            status=LeadStatus.QUALIFIED,
            opportunity_id=opportunity_id,
        )

    def closed(self, reason: str) -> Lead:
        self.require_open()
        return replace(self, version=self.version + 1, status=LeadStatus.CLOSED, close_reason=reason)

    def require_open(self) -> None:
        """Raises LeadIsClosed."""
        if not self.open:
            raise LeadIsClosed


def read_lead(draft: LeadDraft, checks: Checks) -> LeadDraft:
    """The draft in normal form; refuses, through `checks`, whatever breaks a rule."""
    requirement = read_words(checks, "lead.requirement", draft.requirement)
    if (draft.customer_id is None) == (draft.contact is None):
        checks.refuse(
            "lead.customer_id",
            "CUSTOMER_OR_CONTACT",
            "must be set, or a contact, and not both",
            "必须指定客户或联系人，且只能指定其一",
        )
    return replace(
        draft,
        source_channel=read_text(checks, "lead.source_channel", draft.source_channel, LONGEST_TEXT).strip(),
        industry=_short(checks, "lead.industry", draft.industry),
        province=_short(checks, "lead.province", draft.province),
        city=_short(checks, "lead.city", draft.city),
        requirement=requirement,
        contact=read_contact(draft.contact, checks) if draft.contact else None,
    )


def read_contact(contact: Contact, checks: Checks) -> Contact:
    """The contact in normal form: trimmed, E.164 phones, lower-case e-mails."""
    name = " ".join(_short(checks, "contact.full_name", contact.full_name, LONGEST_NAME).split())
    company = " ".join(_short(checks, "contact.company_name", contact.company_name, LONGEST_NAME).split())
    if bool(name) == bool(company):
        checks.refuse(
            "contact",
            "PERSON_OR_COMPANY",
            "must have the name of a person or of a company, and not both",
            "必须填写个人姓名或企业名称，且只能填写其一",
        )
    phones = _normal(checks, "contact.phones", contact.phones, normalize_phone)
    emails = _normal(checks, "contact.emails", contact.emails, normalize_email)
    if not phones and not emails and not checks.found:
        checks.refuse(
            "contact", "UNREACHABLE", "must have a phone or an e-mail address", "必须有电话或电子邮件"
        )
    return Contact(name, phones, emails, company)


def read_words(checks: Checks, field: str, text: str) -> str:
    """Free text of several lines, trimmed."""
    words = text.replace("\r\n", "\n").strip()
    if len(words) > LONGEST_WORDS:
        checks.refuse(
            field, "TOO_LONG", f"has at most {LONGEST_WORDS} characters", f"最多 {LONGEST_WORDS} 个字符"
        )
    if any(ord(character) < 32 and character not in "\n\t" for character in words):
        checks.refuse(field, "CONTROL_CHARACTERS", "must not hold control characters", "不能包含控制字符")
    return words


def _short(checks: Checks, field: str, text: str, longest: int = LONGEST_TEXT) -> str:
    return read_text(checks, field, text, longest, required=False).strip()


def _normal(
    checks: Checks, field: str, values: tuple[str, ...], normal: Callable[[str], str]
) -> tuple[str, ...]:
    if len(values) > MOST_CONTACTS:
        checks.refuse(field, "TOO_MANY", f"has at most {MOST_CONTACTS} entries", f"最多 {MOST_CONTACTS} 项")
    found: dict[str, None] = {}
    for index, value in enumerate(values[:MOST_CONTACTS]):
        try:
            found[normal(value)] = None
        except ValueError:
            checks.refuse(f"{field}[{index}]", "CONTACT_FORMAT", "can't be reached by", "不是有效的联系方式")
    return tuple(found)
