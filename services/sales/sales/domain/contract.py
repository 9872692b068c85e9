"""A contract: made of a template, signed, watched until it ends (S-22, S-29, S-34)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from kernel.pure.errors import Checks
from kernel.pure.money import Money
from sales.domain.errors import ContractHasEnded, ContractNotSigned
from sales.domain.lead import LONGEST_WORDS, read_words
from sales.domain.pipeline import ID
from sales.domain.reading import MoneyDraft, read_day, read_money, read_positive, read_text

# So long before its end a contract is told to be expiring.
WATCHED_FOR = timedelta(days=30)
MOST_LINES = 500
_MOST_CLAUSES = 200
_LONGEST_NAME = 200
_LONGEST_VALUE = 500
_LATEST = date(2999, 12, 31)
# What every contract knows of itself.
BUILT_IN = ("number", "customer", "enterprise", "starts_on", "ends_on", "total")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class ContractStatus(StrEnum):
    # Not signed yet.
    DRAFT = "draft"
    SIGNED = "signed"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    RENEWED = "renewed"
    CANCELLED = "cancelled"


_RUNNING = (ContractStatus.SIGNED, ContractStatus.EXPIRING)


@dataclass(frozen=True)
class LineDraft:
    product: str
    quantity: str
    unit_price: MoneyDraft | None


@dataclass(frozen=True)
class Line:
    product: str
    quantity: Decimal
    unit_price: Money

    @property
    def amount(self) -> Money:
        """Rounded once, to the currency's fraction digits."""
        return self.unit_price.converted(self.quantity, self.unit_price.currency)

    def document(self) -> list[str]:
        """The line as JSON holds it, without its currency."""
        return [self.product, str(self.quantity), str(self.unit_price.amount)]


@dataclass(frozen=True)
class Template:
    """A version of a template; `clauses` are (title, body) with {variables}."""

    id: str
    version: int
    title: str
    clauses: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        """The clauses with every {name} replaced, once: a value is never read as a placeholder."""
        return [
            (title, _PLACEHOLDER.sub(lambda match: values[match[1]], body)) for title, body in self.clauses
        ]


@dataclass(frozen=True)
class TermsDraft:
    """What a contract is to say, as told."""

    lines: Sequence[LineDraft]
    starts_on: str
    ends_on: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Terms:
    lines: tuple[Line, ...]
    starts_on: date
    ends_on: date
    # Free text; sealed.
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Money:
        """The sum of the lines."""
        return total(self.lines)


@dataclass(frozen=True)
class Contract:
    """`number` is for people; the PDF is the document `document_id`, once signed."""

    id: UUID
    version: int
    number: str
    customer_id: UUID
    template_id: str
    template_version: int
    terms: Terms
    owner_id: UUID | None = None
    opportunity_id: UUID | None = None
    status: ContractStatus = ContractStatus.DRAFT
    document_id: UUID | None = None
    signed_at: datetime | None = None
    renewed_by: UUID | None = None

    def signed(self, document_id: UUID, at: datetime) -> Contract:
        return self._now(ContractStatus.SIGNED, document_id=document_id, signed_at=at)

    def aged(self, today: date) -> Contract:
        """The contract as time alone has changed it."""
        if self.status not in _RUNNING:
            return self
        if today > self.terms.ends_on:
            return self._now(ContractStatus.EXPIRED)
        if today >= self.terms.ends_on - WATCHED_FOR and self.status is ContractStatus.SIGNED:
            return self._now(ContractStatus.EXPIRING)
        return self

    def next_look(self) -> date | None:
        """The day on which time alone will change it."""
        if self.status is ContractStatus.SIGNED:
            return self.terms.ends_on - WATCHED_FOR
        return self.terms.ends_on + timedelta(days=1) if self.status is ContractStatus.EXPIRING else None

    def renewed(self, by: UUID) -> Contract:
        """Gone on with in another contract. Raises ContractNotSigned, ContractHasEnded."""
        if self.status is ContractStatus.DRAFT:
            raise ContractNotSigned
        if self.status not in (*_RUNNING, ContractStatus.EXPIRED):
            raise ContractHasEnded
        return self._now(ContractStatus.RENEWED, renewed_by=by)

    def cancelled(self) -> Contract:
        """Raises ContractHasEnded."""
        if self.status not in (ContractStatus.DRAFT, *_RUNNING):
            raise ContractHasEnded
        return self._now(ContractStatus.CANCELLED)

    def _now(self, status: ContractStatus, **changed: Any) -> Contract:
        return replace(self, version=self.version + 1, status=status, **changed)


def total(lines: Sequence[Line]) -> Money:
    """The sum of the lines, of which there is one at least."""
    amount = lines[0].amount
    for line in lines[1:]:
        amount += line.amount
    return amount


def read_terms(draft: TermsDraft, template: Template) -> Terms:
    """The terms that were told. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    if not 1 <= len(draft.lines) <= MOST_LINES:
        en, zh = f"must hold 1 to {MOST_LINES} items", f"必须包含 1 至 {MOST_LINES} 项"
        checks.refuse("terms.lines", "LINE_COUNT", en, zh)
    lines = [_read_line(checks, f"terms.lines[{i}]", line) for i, line in enumerate(draft.lines[:MOST_LINES])]
    whole = tuple(line for line in lines if line is not None)
    if len({line.unit_price.currency for line in whole}) > 1:
        checks.refuse("terms.lines", "ONE_CURRENCY", "must have one currency", "币种必须一致")
    starts_on = read_day(checks, "terms.starts_on", draft.starts_on, _LATEST)
    ends_on = read_day(checks, "terms.ends_on", draft.ends_on, _LATEST)
    if starts_on and ends_on and ends_on < starts_on:
        en, zh = "must not lie before starts_on", "不能早于开始日期"
        checks.refuse("terms.ends_on", "DATE_ORDER", en, zh)
    for name in template.variables:
        value = draft.variables.get(name, "")
        read_text(checks, f"terms.variables[{name}]", value, _LONGEST_VALUE)
    if set(draft.variables) - set(template.variables):
        en, zh = "must be those of the template", "必须是模板中的变量"
        checks.refuse("terms.variables", "UNKNOWN_VARIABLE", en, zh)
    checks.raise_if_any()
    assert starts_on is not None
    assert ends_on is not None
    return Terms(whole, starts_on, ends_on, dict(draft.variables))


def read_template(template: Template) -> Template:
    """The template itself. Raises Invalid naming every field that breaks a rule."""
    checks = Checks()
    if not ID.fullmatch(template.id):
        en, zh = "must be small letters, digits and _", "只能是小写字母、数字和下划线"
        checks.refuse("template.id", "NAME_FORMAT", en, zh)
    read_text(checks, "template.title", template.title, _LONGEST_NAME)
    if not 1 <= len(template.clauses) <= _MOST_CLAUSES:
        en, zh = f"must hold 1 to {_MOST_CLAUSES} items", f"必须包含 1 至 {_MOST_CLAUSES} 项"
        checks.refuse("template.clauses", "CLAUSE_COUNT", en, zh)
    known = {*template.variables, *BUILT_IN}
    for index, (title, body) in enumerate(template.clauses[:_MOST_CLAUSES]):
        at = f"template.clauses[{index}]"
        read_text(checks, f"{at}.title", title, _LONGEST_NAME)
        if not read_words(checks, f"{at}.body", body):
            checks.refuse(f"{at}.body", "REQUIRED", f"has 1 to {LONGEST_WORDS} characters", "必填")
        for name in _PLACEHOLDER.findall(body):
            if name not in known:
                en, zh = f"speaks of {{{name}}}, which is no variable", f"使用了未声明的变量 {{{name}}}"
                checks.refuse(f"{at}.body", "UNKNOWN_VARIABLE", en, zh)
    for index, name in enumerate(template.variables):
        if not ID.fullmatch(name) or name in BUILT_IN:
            en, zh = "must be small letters, digits and _", "只能是小写字母、数字和下划线"
            checks.refuse(f"template.variables[{index}]", "NAME_FORMAT", en, zh)
    checks.raise_if_any()
    return template


def _read_line(checks: Checks, at: str, draft: LineDraft) -> Line | None:
    product = read_text(checks, f"{at}.product", draft.product, _LONGEST_NAME)
    quantity = read_positive(checks, f"{at}.quantity", draft.quantity)
    unit_price = read_money(checks, f"{at}.unit_price", draft.unit_price)
    return Line(product, quantity, unit_price) if quantity is not None and unit_price is not None else None
